import type { components } from '../../api-specs/generated/mco.ts';

type Schemas = components['schemas'];

/** Messages of Mco as they are on the wire; generated from the specification. */
export type EnrolmentRequestMessage = Schemas['enrolment-request'];
export type EnrolmentMessage = Schemas['enrolment'];
export type ChallengeMessage = Schemas['challenge'];
export type SessionRequestMessage = Schemas['session-request'];
export type SessionMessage = Schemas['session'];
export type HostFactsMessage = Schemas['host-facts'];
export type WantedMessage = Schemas['wanted'];
export type AssignmentMessage = Schemas['assignment'];
export type SealedValuesMessage = Schemas['sealed-values'];
export type WorkloadKeyMessage = Schemas['workload-key'];
export type CollectionJob = Schemas['collection-job'];
export type ReportMessage = Schemas['report'];
export type ReceiptMessage = Schemas['receipt'];
export type MeasurementBatchMessage = Schemas['measurement-batch'];
export type AlarmBatchMessage = Schemas['alarm-batch'];
export type LeavingMessage = Schemas['leaving'];
export type StreamChunkMessage = Schemas['stream-chunk'];
export type StreamReceiptMessage = Schemas['stream-receipt'];
