/** Hosts: enrolment, identity, facts, sessions, leases, and the detection of lost ones. */
export { createInventory, type Inventory } from './inventory.ts';
export { occupancyOf, type HostOccupancy } from './host-occupancy.ts';
export { countAssignments, isVisible, requireVisibleHost, type HostModifications } from './host-changes.ts';
export type { ShownCertificate } from './host-certificate.ts';
export { parseSealingKey } from './sealing-key.ts';
export type { EnrolmentRequest } from './enrolment.ts';
export type { EnrolmentTokenRequest } from './enrolment-tokens.ts';
export { createLeases, type Leases } from './leases.ts';
export type { LeaseTerms } from './heartbeat.ts';
export { createMessageSequences, type MessageNumber, type MessageSequences } from './message-sequences.ts';
export { SESSION_SECONDS, type SessionRequest } from './open-session.ts';
export { sealTo } from './sealing-key.ts';
export { isStateConfirmed, leaseBaseAt, withdrawConfirmation } from './state-ids.ts';
export { takeReport, type HostReport } from './take-report.ts';
export { clearAlarm, raiseAlarm } from './host-alarms.ts';
export { vimTypeOf } from './vim-hosts.ts';
