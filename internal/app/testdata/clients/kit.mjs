// fhir-kit-client walks through the API: node kit.mjs BASE TOKEN
import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';
import { person, transaction } from './people.mjs';

process.on('uncaughtException', (e) => {
  console.error(e.stack, JSON.stringify(e.response?.data ?? e.body ?? null));
  process.exit(1);
});
const [base, token] = process.argv.slice(2);
const client = new Client({ baseUrl: base, bearerToken: token });
const system = 'urn:test:kit';

const capability = await client.capabilityStatement();
assert.equal(capability.fhirVersion, '4.0.1');

const made = await client.transaction({ body: transaction(system, 53) });
assert.equal(made.entry.length, 53);
assert.ok(made.entry.every((e) => e.response.status.startsWith('201')));
const again = await client.transaction({ body: transaction(system, 53) });
assert.ok(again.entry.every((e) => e.response.status.startsWith('200')), 'a conditional create makes nothing twice');

const found = new Set();
let pages = 0;
let bundle = await client.search({ resourceType: 'Patient', searchParams: { identifier: `${system}|`, _count: 10, _total: 'accurate' } });
assert.equal(bundle.total, 53);
while (bundle) {
  pages += 1;
  for (const e of bundle.entry ?? []) {
    assert.ok(!found.has(e.resource.id), 'a page repeats a resource');
    found.add(e.resource.id);
  }
  bundle = await client.nextPage({ bundle });
}
assert.equal(found.size, 53);
assert.equal(pages, 6);

const plain = await client.search({ resourceType: 'Patient', searchParams: { identifier: `${system}|`, name: 'nguyen', _count: 100 } });
assert.equal(plain.entry.length, 11, 'a name is found without its marks');

let one = await client.create({ resourceType: 'Patient', body: person(system, 900) });
assert.equal(one.meta.versionId, '1');
const { id } = one;
one = await client.patch({ resourceType: 'Patient', id, jsonPatch: [{ op: 'replace', path: '/gender', value: 'other' }] });
assert.equal(one.gender, 'other');
assert.equal(one.meta.versionId, '2');
one = await client.update({
  resourceType: 'Patient', searchParams: { identifier: `${system}|900` }, body: { ...one, active: true },
});
assert.equal(one.id, id, 'a conditional update finds its resource');
assert.equal(one.meta.versionId, '3');

await assert.rejects(
  client.update({ resourceType: 'Patient', id, body: { ...one, active: false }, options: { headers: { 'If-Match': 'W/"1"' } } }),
  (e) => e.response.status === 412 && e.response.data.resourceType === 'OperationOutcome',
);
await assert.rejects(
  client.create({ resourceType: 'Patient', body: { ...person(system, 901), gender: 'nam' } }),
  (e) => [400, 422].includes(e.response.status) && e.response.data.issue[0].expression[0] === 'Patient.gender',
);

const old = await client.vread({ resourceType: 'Patient', id, version: '1' });
assert.equal(old.gender, 'male');
const history = await client.resourceHistory({ resourceType: 'Patient', id });
assert.deepEqual(history.entry.map((e) => e.resource.meta.versionId), ['3', '2', '1']);

await client.delete({ resourceType: 'Patient', id });
await assert.rejects(client.read({ resourceType: 'Patient', id }), (e) => e.response.status === 410);
console.log('fhir-kit-client: all as expected');
