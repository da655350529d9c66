/** A host with two functions of its own behind a bad link, and all that it must still be when it is back. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { overlapsOf, readJournal, type Span } from '../journal.ts';
import { eventually, isAlive, type AgentStart, type Copy, type TestSystem } from '../test-system.ts';
import type { TinyFunctionOptions } from '../tiny-function.ts';
import { openBadLink, type BadLink } from './bad-link.ts';

/** Of the functions of a tested host: how long they bear the silence of it. */
export const PATIENCE_SECONDS = 6;
/** Requests of one agent within any one second, however it comes back: some for the session and the facts, and what it reports and measures. */
const MOST_REQUESTS_A_SECOND = 20;

/** `kept` stays assigned; `gone` is terminated while the host does not hear of it. */
export type Role = 'kept' | 'gone';

export interface TestedHost {
  readonly hostId: string;
  readonly link: BadLink;
  readonly start: AgentStart;
  /** Id of the service instance of each. */
  readonly services: Readonly<Record<Role, string>>;
  /** Their processes before anything happened. */
  readonly pids: Readonly<Record<Role, number>>;
  /** How often each had been started by then: a first start may fail on a busy machine. */
  readonly startsBefore: Readonly<Record<Role, number>>;
}

/** What is expected beside what is expected always. */
export interface Expectation {
  /** How often each was started, the time before all was whole included; once where nothing killed it. */
  readonly starts?: Partial<Record<Role, number>>;
  /** Orders to the function that is kept; its instantiation where nothing else is said. */
  readonly operations?: readonly string[];
  /** That used its link, one or two machines. */
  readonly agents?: number;
}

const journalOf = (system: TestSystem, role: Role, hostId: string): string =>
  join(system.folder, `${role}-${hostId}.journal`);

export const serviceOf = (role: Role, hostId: string): string => `${role}-${hostId}`;

/** The functions of all tested hosts, for `onboard`. */
export function testedFunctions(system: TestSystem): Record<Role, TinyFunctionOptions> {
  const healing = {
    restart: { within: '60s', times: 5, backoff: '200ms..1s' },
    lostAfter: `${PATIENCE_SECONDS}s`,
  };
  const more = { healing, offline: { onDisconnect: 'keep', coldBoot: true } };
  const options = (role: Role): TinyFunctionOptions => ({
    journal: journalOf(system, role, '{{ host.id }}'),
    isMeasured: true,
    more,
  });
  return { kept: options('kept'), gone: options('gone') };
}

const ROLES: readonly Role[] = ['kept', 'gone'];

/** Their services, for `onboardServices`. */
export function testedServices(hostIds: readonly string[]): Record<string, Record<string, unknown>[]> {
  return Object.fromEntries(
    hostIds.flatMap((hostId) =>
      ROLES.map((role) => [
        serviceOf(role, hostId),
        [{ name: role, coverage: { each: `site = ${hostId}` } }],
      ]),
    ),
  );
}

/** Starts an agent behind a link of its own, and its two functions; they are measured when it resolves. */
export async function addTestedHost(
  system: TestSystem,
  hostId: string,
  options: AgentStart = {},
): Promise<TestedHost> {
  const link = await openBadLink(system.url);
  const start: AgentStart = { server: link.url, labels: { zone: hostId }, ...options };
  await system.startAgent(hostId, { ...start, enrol: true });
  await system.readyHosts(hostId);
  const [kept, gone] = await Promise.all(ROLES.map((role) => system.deploy(serviceOf(role, hostId), [])));
  const pids = { kept: await pidOf(system, 'kept', hostId), gone: await pidOf(system, 'gone', hostId) };
  await eventually(`${hostId} is measured`, () => scrapes(link.acknowledgedPoints()).length > 1);
  const startsOf = (role: Role): number => spansOf(system, role, hostId).length;
  const startsBefore = { kept: startsOf('kept'), gone: startsOf('gone') };
  return { hostId, link, start, services: { kept: kept ?? '', gone: gone ?? '' }, pids, startsBefore };
}

async function onlyCopy(system: TestSystem, role: Role, hostId: string): Promise<Copy> {
  const [copy] = await system.running(serviceOf(role, hostId), 1);
  if (copy === undefined) throw new RangeError(`no copy of ${serviceOf(role, hostId)}`);
  return copy;
}

async function pidOf(system: TestSystem, role: Role, hostId: string): Promise<number> {
  return (await system.ask(await onlyCopy(system, role, hostId))).pid;
}

/** Processes of a role that have ever run on the host, oldest first. */
export function spansOf(system: TestSystem, role: Role, hostId: string): readonly Span[] {
  return readJournal(journalOf(system, role, hostId));
}

export function alivePids(system: TestSystem, role: Role, hostId: string): readonly number[] {
  return spansOf(system, role, hostId)
    .map(({ pid }) => pid)
    .filter(isAlive);
}

/** Ends the service `gone`, which does not wait for a host that is not heard. */
export async function terminateGone(system: TestSystem, host: TestedHost): Promise<void> {
  const ended = await system.ended(await system.begin(host.services.gone, 'terminate'));
  expect(ended).toMatchObject({ operationState: 'COMPLETED' });
}

/** Waits until the orchestrator has not heard the host for longer than its functions bear, and is sure that they ran all the while. */
export async function awayForLong(system: TestSystem, host: TestedHost): Promise<void> {
  await eventually(
    `${host.hostId} counts as LOST`,
    async () => (await system.get<{ state: string }>(`/iotmano/v1/hosts/${host.hostId}`)).state === 'LOST',
    30,
  );
  expect(alivePids(system, 'kept', host.hostId)).toEqual([host.pids.kept]);
}

/**
 * The host is back and has settled: what it keeps runs as before or was started as often as said, what it should not run is gone, no two copies ever
 * ran at once, all acknowledged measurements are there once, nothing was moved or healed, and it came back without a storm.
 */
export async function expectAutonomy(
  system: TestSystem,
  host: TestedHost,
  { starts = {}, operations = ['INSTANTIATE'], agents = 1 }: Expectation = {},
): Promise<void> {
  const { hostId, pids, startsBefore } = host;
  await eventually(
    `orphans of ${hostId} are stopped`,
    () => alivePids(system, 'gone', hostId).length === 0,
    40,
  );
  await system.readyHosts(hostId);
  const copy = await onlyCopy(system, 'kept', hostId);
  const { pid } = await system.ask(copy);
  const wanted = { kept: 1, gone: 1, ...starts };
  if (wanted.kept === 1) expect(pid).toBe(pids.kept);
  expect(alivePids(system, 'kept', hostId)).toEqual([pid]);
  for (const role of ROLES) {
    const spans = spansOf(system, role, hostId);
    const expected = startsBefore[role] - 1 + wanted[role];
    expect({ role, spans, starts: spans.length }).toEqual({ role, spans, starts: expected });
    expect({ overlaps: overlapsOf(spans), spans }).toEqual({ overlaps: [], spans });
  }
  expect(await system.copies(serviceOf('gone', hostId))).toEqual([]);
  await expectMeasured(system, host, copy);
  await expectUntouched(system, host, copy, operations);
  expect(busiestSecond(host.link)).toBeLessThanOrEqual(agents * MOST_REQUESTS_A_SECOND);
}

interface SeriesView {
  readonly points: readonly { readonly timestamp: string; readonly value: number }[];
}

const scrapes = (
  points: ReturnType<BadLink['acknowledgedPoints']>,
): ReturnType<BadLink['acknowledgedPoints']> => points.filter(({ metric }) => metric === 'scrapes');

/** What was acknowledged is there, each point once; by value, as the times of a host whose clock is wrong are put right. */
async function expectMeasured(
  system: TestSystem,
  { hostId, link }: TestedHost,
  { vnfInstanceId }: Copy,
): Promise<void> {
  const acknowledged = (): readonly number[] =>
    scrapes(link.acknowledgedPoints())
      .filter(({ subject }) => subject?.vnfInstanceId === vnfInstanceId)
      .map(({ value }) => value);
  const before = acknowledged().length;
  // A batch whose answer was lost is repeated when its request has waited in vain for 30 s.
  await eventually(`${hostId} is measured again`, () => acknowledged().length > before + 1, 40);
  const values = acknowledged();
  const series = await system.get<SeriesView[]>(
    `/iotmano/v1/measurements?metric=scrapes&vnfInstanceId=${vnfInstanceId}`,
  );
  const stored = series.flatMap(({ points }) => points);
  const found = stored.map(({ value }) => value);
  const lost = without(values, found);
  expect({ hostId, lost, found }).toEqual({ hostId, lost: [], found });
  // What came after the first look is acknowledged in a moment.
  await eventually(
    `${hostId} has nothing twice: ${found.join()}`,
    () => without(found, acknowledged()).length === 0,
  );
  expect(new Set(stored.map(({ timestamp }) => timestamp)).size).toBe(stored.length);
}

/** What is left of the values when each of the others has taken one away. */
function without(values: readonly number[], others: readonly number[]): readonly number[] {
  const left = [...others];
  return values.filter((value) => {
    const place = left.indexOf(value);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

/** Nothing but the orders of the test has touched its functions, and nothing is said to be wrong with it any more. */
async function expectUntouched(
  system: TestSystem,
  { hostId }: TestedHost,
  { vnfInstanceId }: Copy,
  operations: readonly string[],
): Promise<void> {
  const all = await system.get<{ operation: string; vnfInstanceId: string }[]>('/vnflcm/v2/vnf_lcm_op_occs');
  const own = all.filter((occurrence) => occurrence.vnfInstanceId === vnfInstanceId);
  expect(own.map(({ operation }) => operation)).toEqual(operations);
  await eventually(`no alarm of the loss of ${hostId} is left`, async () => {
    const alarms = await system.get<AlarmView[]>('/iotmano/v1/alarms');
    return alarms.every(
      ({ name, source, alarmClearedTime }) =>
        name !== 'host-lost' || source.hostId !== hostId || alarmClearedTime !== undefined,
    );
  });
}

interface AlarmView {
  readonly name: string;
  readonly source: { readonly hostId?: string };
  readonly alarmClearedTime?: string;
}

/** The most requests that the agent has sent within one second. */
export function busiestSecond({ asked }: BadLink): number {
  let first = 0;
  let most = 0;
  for (const [last, { at }] of asked.entries()) {
    while (at - (asked[first]?.at ?? at) > 1000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
