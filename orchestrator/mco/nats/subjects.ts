/** Subjects of the binding to NATS, as mco.asyncapi.yaml has them. */
import type { HostId } from '../../../kernel/index.ts';

export const MEASUREMENTS_STREAM = 'MCO_MEASUREMENTS';
/** Of queue groups and of the durable consumer. */
export const ORCHESTRATOR = 'mco-orchestrator';

export function hostSubject(hostId: HostId, last: string): string {
  return `mco.v1.${hostId}.${last}`;
}

export function subjectOfAll(last: string): string {
  return `mco.v1.*.${last}`;
}

/** Where the answers for a host go: nobody else may listen there. */
export function hostInbox(hostId: HostId): string {
  return `_INBOX.mco.${hostId}.>`;
}

/** Apart from what the host hears that may be there already under that name: a token must not open its answers. */
export function enrolmentInbox(hostId: HostId): string {
  return `_INBOX.mco.${hostId}.enrol.>`;
}

/** Whether a reply may go there: a request must not make us write to others. */
export function isInboxOf(hostId: HostId, subject: string): boolean {
  return subject.startsWith(`_INBOX.mco.${hostId}.`);
}

/** The host that a subject names. The servers let nobody else publish there. */
export function hostIdOfSubject(subject: string): HostId {
  return (subject.split('.')[2] ?? '') as HostId;
}
