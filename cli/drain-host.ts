import { setTimeout as sleep } from 'node:timers/promises';
import type { components } from '../api-specs/generated/iotmano.ts';
import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { idempotencyKey } from './operation.ts';
import { say } from './output.ts';

type Plan = components['schemas']['PlacementPlan'];
type Budget = NonNullable<components['schemas']['PlacementPlanRequest']['budget']>;
type Host = components['schemas']['Host'];

export interface DrainOptions {
  /** What may be moved at once; absent: everything. */
  readonly budget?: Budget;
  /** Seconds after which it is told what is left; nothing is forced then. */
  readonly deadlineSeconds: number;
}

/** What of the API it uses. */
type DrainClient = Pick<Client, 'get' | 'patch' | 'post'>;

const LOOK_MILLISECONDS = 500;

/**
 * Empties a host: nothing new is placed there; what may move does so, within the budget at a time; then all the rest that can leaves. Each copy stays until
 * its successor is well. Over only when everything has stopped.
 * @throws CliFailure with what is left once the deadline has passed: a host that was marked is drained on; one that is still being left within a budget
 * stays cordoned, and what the budget keeps there stays
 */
export async function drainHost(
  client: DrainClient,
  hostId: string,
  { budget, deadlineSeconds }: DrainOptions,
): Promise<Host> {
  const end = performance.now() + deadlineSeconds * 1000;
  const path = `/iotmano/v1/hosts/${encodeURIComponent(hostId)}`;
  await client.patch(path, { cordoned: true });
  say(`${hostId} is cordoned`);
  if (budget !== undefined && !(await moveInParts(client, hostId, budget, end))) {
    const { body } = await client.get<Host>(path);
    throw new CliFailure(
      EXIT.failed,
      `${hostId} is not empty after ${deadlineSeconds} s: ${describe(body)}; it stays cordoned, and nothing beyond the budget was forced: run the command again to go on, or "iotmano host uncordon ${hostId}"`,
    );
  }
  await client.patch(path, { draining: true });
  say(`${hostId} is being drained`);
  let told = '';
  for (;;) {
    const { body } = await client.get<Host>(path);
    const text = describe(body);
    if (text !== told) say(`  ${text}`);
    told = text;
    if (body.occupancy?.isEmpty === true) return body;
    if (performance.now() > end)
      throw new CliFailure(
        EXIT.failed,
        `${hostId} is not empty after ${deadlineSeconds} s: ${text}; it is drained on, and "iotmano host explain ${hostId}" says what is there and why`,
      );
    await sleep(LOOK_MILLISECONDS);
  }
}

/**
 * One plan after the other, each when the last one moves no more. @returns whether nothing is left that a plan would move; false: the time was up before
 * @throws CliFailure for what the budget never lets move
 */
async function moveInParts(
  client: DrainClient,
  hostId: string,
  budget: Budget,
  end: number,
): Promise<boolean> {
  do {
    const request = { kind: 'drain', hostIds: [hostId], budget };
    const { body: plan } = await client.post<Plan>('/iotmano/v1/placement_plans', request, idempotencyKey());
    // Of what is busy or waits after a failed move the next plan knows more.
    const isOpen = plan.isCutShort || plan.stuck.some(({ isPassing }) => isPassing);
    if (plan.operations.length === 0 && !isOpen) {
      if (plan.spared.length > 0) throw beyondBudget(hostId, plan.spared);
      return true;
    }
    if (plan.operations.length > 0) say(`  ${plan.instances} instances move`);
    await sleep(LOOK_MILLISECONDS);
  } while (performance.now() < end);
  return false;
}

function beyondBudget(hostId: string, spared: Plan['spared']): CliFailure {
  const what = spared.map(
    ({ function: name, vduId, instances, limit }) =>
      `${instances} of ${name} ${vduId} on ${hostId} (${limit})`,
  );
  return new CliFailure(
    EXIT.failed,
    `the budget keeps ${what.join(', ')}; the host stays cordoned: allow more, or drain it without a budget`,
  );
}

function describe({ occupancy }: Host): string {
  if (occupancy === undefined) return 'nothing is known of what is there';
  const { assignedInstances, reportedInstances, unconfirmedFunctions, isEmpty } = occupancy;
  if (isEmpty) return 'everything has stopped';
  return `${assignedInstances} instances to run, ${reportedInstances} there, ${unconfirmedFunctions} functions not confirmed gone`;
}
