// Answers questions of FHIRPath with npm fhirpath and its R4 model. First line:
// {"expressions":[…]}; each further line {"resource":…,"ask":[index,…]}; each is
// answered by one line, a list of results or of {"error":…} in order of ask.
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';
import readline from 'node:readline';
import { Buffer } from 'node:buffer';

console.log = () => {}; // trace() writes there
let expressions, compiled = [];
// Variables that FHIR R4 gives FHIRPath (fhirpath.html#variables).
const variables = {
  sct: 'http://snomed.info/sct', loinc: 'http://loinc.org',
  'vs-administrative-gender': 'http://hl7.org/fhir/ValueSet/administrative-gender',
  'ext-patient-birthTime': 'http://hl7.org/fhir/StructureDefinition/patient-birthTime',
};
const plain = (x) => {
  if (x === null || x === undefined) return null;
  if (typeof x === 'bigint') return Number(x);
  if (typeof x === 'object' && typeof x.toJSON === 'function') return x.toJSON();
  return x;
};
for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const q = JSON.parse(line);
  if (q.expressions) { expressions = q.expressions; continue; }
  const out = q.ask.map((i) => {
    try {
      compiled[i] ??= fhirpath.compile(expressions[i], r4, { async: false });
      return compiled[i](q.resource, { resource: q.resource, rootResource: q.resource, ...variables }).map(plain);
    } catch (e) {
      return { error: String(e.message).slice(0, 200) };
    }
  });
  process.stdout.write(JSON.stringify(out) + '\n');
}
