import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { say } from './output.ts';

/** The part of an LCM operation occurrence that following it needs (SOL003 clause 5.5.2.13, SOL005 clause 6.5.2.3). */
export interface OperationOccurrence {
  readonly id: string;
  readonly operationState: string;
  readonly lcmOperationType: string;
  readonly error?: { readonly detail: string };
}

export interface VnfcRow {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly hostId: string;
  readonly reason?: string;
}

const SETTLED = new Set(['COMPLETED', 'PARTIALLY_COMPLETED', 'FAILED_TEMP', 'FAILED', 'ROLLED_BACK']);
const POLL_MILLISECONDS = 200;

/** An Idempotency-Key of its own for each command, so that a retried request creates nothing twice. */
export const idempotencyKey = (): Record<string, string> => ({ 'idempotency-key': randomUUID() });

/** Whether nothing more can come of it: FAILED_TEMP is not over, it waits for a decision. */
export function isOver(operationState: string): boolean {
  return SETTLED.has(operationState) && operationState !== 'FAILED_TEMP';
}

/**
 * Begins an operation, follows it to its end and shows what changes on the way (on stderr).
 * @param begin gives the location of the operation
 * @param instances reads the instances that the operation concerns
 * @throws CliFailure when the operation did not complete or `timeoutSeconds` have passed
 */
export async function followOperation(
  client: Client,
  begin: () => Promise<string>,
  timeoutSeconds: number,
  instances: () => Promise<readonly VnfcRow[]>,
): Promise<void> {
  const showChanges = createProgressDisplay();
  const look = async (): Promise<void> => showChanges((await instances().catch(passOver)) ?? []);
  // Of an operation that has ended before it is looked at, too, it is told what is gone.
  await look();
  const path = new URL(await begin(), client.url).pathname;
  const occurrence = await waitSettled(client, path, timeoutSeconds, look);
  demandCompleted(occurrence);
}

/**
 * Waits until an operation runs no more. An orchestrator that is away meanwhile is waited for: the operation goes on when it is back.
 * @param look called after each look at the operation
 * @throws CliFailure when `timeoutSeconds` have passed
 */
export async function waitSettled(
  client: Client,
  path: string,
  timeoutSeconds: number,
  look: () => Promise<void> = async () => {},
): Promise<OperationOccurrence> {
  const end = performance.now() + timeoutSeconds * 1000;
  let state = 'PROCESSING';
  for (;;) {
    const occurrence = await read(client, path);
    if (occurrence !== undefined) {
      state = occurrence.operationState;
      await look();
      if (SETTLED.has(state)) return occurrence;
    }
    if (performance.now() > end) {
      throw new CliFailure(
        EXIT.failed,
        `the operation ${path} is still ${state} after ${timeoutSeconds} s; it goes on: see "iotmano events --follow"`,
      );
    }
    await sleep(POLL_MILLISECONDS);
  }
}

async function read(client: Client, path: string): Promise<OperationOccurrence | undefined> {
  return (await client.get<OperationOccurrence>(path).catch(passOver))?.body;
}

/** An orchestrator that does not answer may be on its way back; every other failure is one. */
function passOver(error: unknown): undefined {
  if (error instanceof CliFailure && error.exitCode === EXIT.unreachable) return undefined;
  throw error;
}

/** Says what is new of each instance. */
function createProgressDisplay(): (rows: readonly VnfcRow[]) => void {
  const shown = new Map<string, string>();
  return (rows) => {
    for (const { id, name, state, hostId, reason } of rows) {
      const line = `${name}: ${state} on ${hostId}${reason === undefined ? '' : ` (${reason})`}`;
      if (shown.get(id) !== line) say(`  ${line}`);
      shown.set(id, line);
    }
    const present = new Set(rows.map(({ id }) => id));
    for (const [id, line] of shown) {
      if (present.has(id)) continue;
      say(`  ${line.slice(0, line.indexOf(':'))}: gone`);
      shown.delete(id);
    }
  };
}

function demandCompleted({ id, operationState, lcmOperationType, error }: OperationOccurrence): void {
  if (operationState === 'COMPLETED') return;
  throw new CliFailure(
    EXIT.failed,
    `${lcmOperationType} ended as ${operationState}: ${error?.detail ?? 'no reason given'} (operation ${id})`,
  );
}
