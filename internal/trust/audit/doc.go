// Package audit shows the audit log: each row of the table audit, which the
// store writes in the same commit as the act, is rendered as a FHIR R4
// AuditEvent when it is asked for (DESIGN.md decision 11). Nothing is kept
// twice, and nothing can be written here.
//
// Who sees what ("Who may look", SECURITY.md §1.3, Luật 91/2025/QH15):
//
//   - a citizen: the rows about the own person (golden Patient and linked source
//     records) and the own acts. Of others who looked: unit, role and the name
//     as kept, when, what of the own record, what for and by which right; not
//     their account, address and search text, nor anybody else's record.
//   - a machine account: the rows of its own facility's agents.
//   - an operator token with a scope for AuditEvent: all rows.
//   - the department, staff and the administrator: none. The administrator sees
//     nobody's data, and a row without a person may still name a record in the
//     address that was refused; their review of the log wants rules of its own.
//
// A look at the log is a row of the log, about the persons whose rows it showed.
//
// Source: FHIR R4 auditevent.html; IHE Basic Audit Log Patterns (BALP) 1.1.4,
// whose profile a row claims when it has all that the profile wants: one row
// tells the whole act, so one that read several records claims none.
package audit
