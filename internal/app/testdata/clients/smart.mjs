// fhirclient (SMART on FHIR) walks through the API: node smart.mjs BASE TOKEN
import assert from 'node:assert/strict';
import smart from 'fhirclient';
import { person, transaction } from './people.mjs';

process.on('uncaughtException', (e) => {
  console.error(e.stack, JSON.stringify(e.response?.data ?? e.body ?? null));
  process.exit(1);
});
const [base, token] = process.argv.slice(2);
const system = 'urn:test:smart';
class Client extends smart.FhirClient {
  async getRequestDefaults() { return { headers: { authorization: `Bearer ${token}` } }; }
}
const client = new Client(base);
const post = (url, body, headers = {}) => client.fhirRequest(url, {
  method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/fhir+json', authorization: `Bearer ${token}`, ...headers },
});

assert.equal(await client.getFhirRelease(), 4);
const made = await post('', transaction(system, 31));
assert.equal(made.entry.length, 31);

const found = new Set();
let pages = 0;
for await (const page of client.pages(`Patient?identifier=${encodeURIComponent(`${system}|`)}&_count=7&_sort=birthdate`)) {
  pages += 1;
  for (const e of page.entry ?? []) found.add(e.resource.id);
}
assert.equal(found.size, 31);
assert.equal(pages, 5);

const patient = await client.create(person(system, 800));
await client.create({
  resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${patient.id}` }, effectiveDateTime: '2026-03-10T08:00:00+07:00',
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  valueQuantity: { value: 72.0, unit: 'lần/phút', system: 'http://unitsofmeasure.org', code: '/min' },
});
const chained = [];
for await (const r of client.resources(`Observation?subject:Patient.identifier=${encodeURIComponent(`${system}|800`)}&_include=Observation:subject`)) chained.push(r.resourceType);
assert.deepEqual(chained.sort(), ['Observation', 'Patient']);

const patched = await client.patch(`Patient/${patient.id}`, [{ op: 'add', path: '/active', value: true }]);
assert.equal(patched.active, true);
const updated = await client.update({ ...patched, gender: 'unknown' });
assert.equal(updated.meta.versionId, '3');
const history = await client.fhirRequest(`Patient/${patient.id}/_history`);
assert.equal(history.entry.length, 3);

await assert.rejects(post('Patient', person(system, 800), { 'if-none-exist': `identifier:of-tpe=x` }), /of-tpe|400/);
const same = await post('Patient', person(system, 800), { 'if-none-exist': `identifier=${system}|800` });
assert.equal(same.id, patient.id);
console.log('fhirclient: all as expected');
