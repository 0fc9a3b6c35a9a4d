// Invented people that each client stores and finds again, under a system of its own.
export const surnames = ['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Đỗ'];

export function person(system, n) {
  return {
    resourceType: 'Patient',
    identifier: [{ system, value: String(n).padStart(3, '0') }],
    name: [{ text: `${surnames[n % 5]} Thị Thử ${n}`, family: surnames[n % 5], given: ['Thị', `Thử ${n}`] }],
    gender: n % 2 ? 'female' : 'male',
    birthDate: `19${50 + (n % 50)}-0${1 + (n % 9)}-1${n % 10}`,
  };
}

export function transaction(system, count) {
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: Array.from({ length: count }, (_, n) => ({
      fullUrl: `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      resource: person(system, n),
      request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|${String(n).padStart(3, '0')}` },
    })),
  };
}
