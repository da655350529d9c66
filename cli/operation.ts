import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { say } from './output.ts';

/** The part of an LCM operation occurrence that following it needs (SOL003 clause 5.5.2.13, SOL005 clause 6.5.2.3). */
export interface OperationOccurrence {
  readonly id: string;
  readonly operationState: string;
  readonly operation?: string;
  readonly lcmOperationType?: string;
  readonly error?: { readonly detail: string };
}

export interface VnfcRow {
  readonly name: string;
  readonly state: string;
  readonly hostId: string;
  readonly reason?: string;
}

const SETTLED = new Set(['COMPLETED', 'PARTIALLY_COMPLETED', 'FAILED_TEMP', 'FAILED', 'ROLLED_BACK']);
const POLL_MILLISECONDS = 200;

/** An Idempotency-Key of its own for each command, so that a retried request creates nothing twice. */
export const idempotencyKey = (): Record<string, string> => ({ 'idempotency-key': randomUUID() });

/**
 * Follows an operation to its end and shows what changes on the way (on stderr).
 * @param instances reads the instances that the operation concerns
 * @throws CliFailure when the operation did not complete or `timeoutSeconds` have passed
 */
export async function followOperation(
  client: Client,
  location: string,
  timeoutSeconds: number,
  instances: () => Promise<readonly VnfcRow[]>,
): Promise<OperationOccurrence> {
  const path = new URL(location, client.url).pathname;
  const end = performance.now() + timeoutSeconds * 1000;
  const shown = new Map<string, string>();
  for (;;) {
    const { body: occurrence } = await client.get<OperationOccurrence>(path);
    for (const { name, state, hostId, reason } of await instances()) {
      const line = `${state} on ${hostId}${reason === undefined ? '' : ` (${reason})`}`;
      if (shown.get(name) !== line) say(`  ${name}: ${line}`);
      shown.set(name, line);
    }
    if (SETTLED.has(occurrence.operationState)) return settled(occurrence);
    if (performance.now() > end) {
      throw new CliFailure(
        EXIT.failed,
        `the operation ${occurrence.id} is still ${occurrence.operationState} after ${timeoutSeconds} s; it goes on: see "iotmano events --follow"`,
      );
    }
    await sleep(POLL_MILLISECONDS);
  }
}

function settled(occurrence: OperationOccurrence): OperationOccurrence {
  if (occurrence.operationState === 'COMPLETED') return occurrence;
  const kind = occurrence.operation ?? occurrence.lcmOperationType ?? 'operation';
  throw new CliFailure(
    EXIT.failed,
    `${kind} ended as ${occurrence.operationState}: ${occurrence.error?.detail ?? 'no reason given'} (operation ${occurrence.id})`,
  );
}
