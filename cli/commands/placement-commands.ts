import type { Command } from 'commander';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { wholeNumber } from '../arguments.ts';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { findFunction } from '../find-function.ts';
import { idempotencyKey, waitSettled } from '../operation.ts';
import { printJson, printRows, say } from '../output.ts';

type Plan = components['schemas']['PlacementPlan'];
type PlanRequest = components['schemas']['PlacementPlanRequest'];

interface PlanOptions {
  readonly dryRun?: true;
  readonly maxInstances?: number;
  readonly maxAway?: number;
  readonly maxAwayShare?: string;
  readonly maxCost?: number;
  readonly timeout: number;
}

/** A gain above it is of an instance that could not be placed where it was: the score of the API counts a million for that. */
const REPAIRED = 500_000;

/** `iotmano placement …`: plans that move what is placed, shown or carried out. */
export function addPlacementCommands(program: Command, env: Environment): void {
  const group = program
    .command('placement')
    .description('move what is placed: one function, or what is on hosts, within a budget of disruption');
  const add = (name: string, description: string): Command => withBudget(group.command(name), description);
  const pursue = async (command: Command, request: PlanRequest): Promise<void> => {
    const { client, format } = contextOf(command, env);
    await planAndCarryOut(client, format, request, command.opts<PlanOptions>());
  };

  add('move <function>', 'move the instances of one function, named by id or name of its VNF instance')
    .option('--vdu <name>', 'only instances of this VDU (repeatable)', collect)
    .option('--from <hostId>', 'only instances there (repeatable)', collect)
    .option('--to <hostId>', 'only to there (repeatable)', collect)
    .action(async (name: string, options: MoveOptions, command: Command) => {
      const vnfInstanceId = await findFunction(contextOf(command, env).client, name);
      const { vdu, from, to } = options;
      await pursue(command, {
        kind: 'move',
        vnfInstanceId,
        ...(vdu === undefined ? {} : { vduIds: vdu }),
        ...(from === undefined ? {} : { fromHostIds: from }),
        ...(to === undefined ? {} : { toHostIds: to }),
      });
    });
  add(
    'drain <hostId...>',
    'move what may move off hosts; other than host drain, once and within the budget',
  ).action(async (hostIds: string[], _options: unknown, command: Command) =>
    pursue(command, { kind: 'drain', hostIds }),
  );
  add('evacuate [zone]', 'move what may move out of a zone, or off all hosts that match an expression')
    .option('--where <expression>', 'a label expression over hosts, instead of a zone')
    .action(async (zone: string | undefined, { where }: { where?: string }, command: Command) =>
      pursue(command, {
        kind: 'evacuate',
        ...(zone === undefined ? {} : { zone }),
        ...(where === undefined ? {} : { expression: where }),
      }),
    );
  add('rebalance', 'move to better places where there are such, and from full hosts to emptier ones').action(
    async (_options: unknown, command: Command) => pursue(command, { kind: 'rebalance' }),
  );
  add('consolidate', 'leave as many hosts without anything on them as can be had, the dearest first').action(
    async (_options: unknown, command: Command) => pursue(command, { kind: 'consolidate' }),
  );
}

interface MoveOptions {
  readonly vdu?: string[];
  readonly from?: string[];
  readonly to?: string[];
}

function withBudget(command: Command, description: string): Command {
  return command
    .description(description)
    .option('--dry-run', 'show the plan and change nothing')
    .option(
      '--max-instances <n>',
      'move so many instances at most (default 100)',
      wholeNumber('--max-instances', 1),
    )
    .option('--max-away <n>', 'move so many instances of one function at most', wholeNumber('--max-away', 1))
    .option('--max-away-share <share>', 'move at most this share of the instances of one function, 0 to 1')
    .option(
      '--max-cost <n>',
      'interrupt no more than that; the only instance of a function counts 10',
      wholeNumber('--max-cost', 1),
    )
    .option(
      '--timeout <seconds>',
      'how long to follow what has been started',
      wholeNumber('--timeout', 1),
      300,
    );
}

async function planAndCarryOut(
  client: Client,
  format: 'table' | 'json',
  request: PlanRequest,
  options: PlanOptions,
): Promise<void> {
  const path = `/iotmano/v1/placement_plans${options.dryRun === true ? '?dryRun=true' : ''}`;
  const { body } = await client.post<Plan>(path, { ...request, budget: budgetOf(options) }, idempotencyKey());
  if (format === 'json') printJson(body);
  else show(body);
  await follow(client, body, options.timeout);
}

function budgetOf({ maxInstances, maxAway, maxAwayShare, maxCost }: PlanOptions): PlanRequest['budget'] {
  return {
    ...(maxInstances === undefined ? {} : { maxInstances }),
    ...(maxAway === undefined ? {} : { maxAway }),
    ...(maxAwayShare === undefined ? {} : { maxAwayShare: share(maxAwayShare) }),
    ...(maxCost === undefined ? {} : { maxCost }),
  };
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new CliFailure(EXIT.usage, `--max-away-share wants a number from 0 to 1; got "${text}"`);
}

function show({
  moves,
  instances,
  cost,
  score,
  loadSpread,
  freedHostIds,
  stuck,
  spared,
  isCutShort,
  postponedSteps,
}: Plan): void {
  const rows = moves.map(({ vduId, fromHostId, toHostId, gain, ...rest }) => ({
    ...rest,
    vdu: vduId,
    from: fromHostId,
    to: toHostId,
    gain: gain > REPAIRED ? 'repairs a rule' : gain,
  }));
  printRows('table', rows, ['step', 'function', 'vdu', 'from', 'to', 'instances', 'gain', 'cost']);
  say(`${instances} of all instances move, at a cost of ${cost}`);
  say(`score ${score.before} -> ${score.after}, load spread ${loadSpread.before} -> ${loadSpread.after}`);
  if (freedHostIds.length > 0) say(`left without anything on them: ${freedHostIds.join(', ')}`);
  for (const { function: name, vduId, hostId, instances: count, reason } of stuck)
    say(`stays: ${count} x ${name}/${vduId} on ${hostId}: ${reason}`);
  for (const { function: name, vduId, hostId, instances: count, limit } of spared)
    say(`beyond the budget (${limit}): ${count} x ${name}/${vduId} on ${hostId}`);
  if (isCutShort) say('not everything was looked at in time: run this again when it is done');
  if (postponedSteps.length > 0)
    say(
      `steps ${postponedSteps.join(', ')} need the room that others leave: run this again when those are done`,
    );
}

/** @throws CliFailure naming the operations that did not complete */
async function follow(client: Client, { operations }: Plan, timeoutSeconds: number): Promise<void> {
  const failed: string[] = [];
  for (const { vnfLcmOpOccId } of operations) {
    const operation = await waitSettled(
      client,
      `/vnflcm/v2/vnf_lcm_op_occs/${vnfLcmOpOccId}`,
      timeoutSeconds,
    ).catch(passOverForeign);
    if (operation !== undefined && operation.operationState !== 'COMPLETED')
      failed.push(
        `${vnfLcmOpOccId} ended as ${operation.operationState}: ${operation.error?.detail ?? 'no reason given'}`,
      );
  }
  if (failed.length > 0)
    throw new CliFailure(
      EXIT.failed,
      `${failed.length} of ${operations.length} operations did not complete`,
      failed,
    );
  if (operations.length > 0)
    say(
      operations.length === 1
        ? '1 operation has completed'
        : `${operations.length} operations have completed`,
    );
}

/** Operations of other tenants' functions are theirs to see. */
function passOverForeign(error: unknown): undefined {
  if (error instanceof CliFailure && error.exitCode === EXIT.notFound) return undefined;
  throw error;
}

function collect(text: string, collected: readonly string[] = []): readonly string[] {
  return [...collected, text];
}
