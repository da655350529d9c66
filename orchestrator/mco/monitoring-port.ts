import type { HostId } from '../../kernel/index.ts';
import type {
  AlarmBatchMessage,
  CollectionJob,
  MeasurementBatchMessage,
  ReceiptMessage,
} from './messages.ts';

/** Which message of an agent it is: numbers run from 1 in each boot. */
export interface MessageNumber {
  readonly bootId: string;
  readonly sequence: number;
}

/**
 * What Mco-m needs of the orchestrator's Monitoring function (TR 103 527 clause 7.3.2); plugged in by the composition root.
 * It applies a repeated number once, accepts gaps, and ignores what concerns nothing that is or was assigned to the host.
 */
export interface MonitoringPort {
  ingestMeasurements(hostId: HostId, number: MessageNumber, batch: MeasurementBatchMessage): ReceiptMessage;
  /** Commits what changed; the answer waits until it is durable. */
  ingestAlarms(hostId: HostId, number: MessageNumber, batch: AlarmBatchMessage): ReceiptMessage;
  /** All that the host has to collect. Follows from its assignments, so that it changes with them. */
  collectionJobsFor(hostId: HostId): readonly CollectionJob[];
}
