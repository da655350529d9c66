import type { HostId } from '../../kernel/index.ts';
import type { RunRule } from '../../descriptors/index.ts';
import type { ObservedInstance } from '../../vim-drivers/index.ts';
import {
  copyName,
  wantedVnfcs,
  type ObservedDocument,
  type WantedUnit,
  type WantedVnfc,
} from '../domain/index.ts';
import { isWellState } from './well-state.ts';

/** How far what is observed is from what is wanted. */
export interface Convergence {
  readonly isReached: boolean;
  /** Wanted copies that are as they are to be. */
  readonly reached: number;
  /** Copies that are not wanted and still there, on hosts that are heard. */
  readonly leftovers: number;
  /** What is waited for, in words; with the host's own reason where it gave one. With coverage it is put together when it is read. */
  readonly pending: readonly string[];
  /** Copies that their host has given up. */
  readonly failed: readonly FailedCopy[];
  /** A job's copy that is at work: time passes without being lost. */
  readonly isWorking: boolean;
}

export interface FailedCopy {
  readonly copy: WantedVnfc;
  readonly reason: string;
}

export interface ConvergenceInput {
  readonly wanted: readonly WantedUnit[];
  /** Copies that wait for a place. */
  readonly displaced: readonly WantedVnfc[];
  readonly observed: readonly ObservedDocument[];
  readonly mode: RunRule['mode'];
  /** Hosts whose copies are LOST: what was observed there is stale, and is not waited for to go away. */
  readonly lostHosts: ReadonlySet<HostId>;
  /** Hosts that have not said yet that they have applied the removal of copies. */
  readonly withdrawnFrom: readonly HostId[];
  /** With coverage a silent host is not waited for at all. */
  readonly isCoverage: boolean;
}

/** Compares what is wanted of one function with what its hosts report. */
export function assessConvergence(input: ConvergenceInput): Convergence {
  const pending: string[] = [];
  const failed: FailedCopy[] = [];
  let reached = 0;
  let isWorking = false;
  const copies = wantedVnfcs(input.wanted);
  for (const copy of copies) {
    if (input.isCoverage && input.lostHosts.has(copy.hostId)) continue;
    const found = findCopy(input.observed, copy);
    if (isReached(found?.instance, copy, input)) reached += 1;
    else if (isFailed(found?.instance, copy))
      failed.push({ copy, reason: reasonOf(found) ?? 'no reason given' });
    else pending.push(describePending(copy, found, input.lostHosts));
    isWorking ||= input.mode === 'job' && found?.instance?.state === 'RUNNING';
  }
  for (const { unit, slot, hostId } of input.displaced)
    pending.push(`${unit}-${slot} leaves ${hostId} for another host`);
  const leftovers = leftoversOf(input, copies);
  return {
    isReached: pending.length === 0 && failed.length === 0 && leftovers.length === 0,
    reached,
    leftovers: leftovers.length,
    pending: [...pending, ...leftovers],
    failed,
    isWorking,
  };
}

export interface FoundCopy {
  readonly document: ObservedDocument;
  readonly instance?: ObservedInstance;
}

/** Of a list that is not longer, looking through it costs less than arranging it. */
const FEW = 4;

/** What the host of a copy last reported of it. */
export function findCopy(observed: readonly ObservedDocument[], copy: WantedVnfc): FoundCopy | undefined {
  const document =
    observed.length <= FEW
      ? observed.find((each) => isOf(each, copy))
      : byWorkload(observed).get(workloadName(copy.hostId, copy));
  const instance = document?.workload.instances.find(({ slot }) => slot === copy.slot);
  if (document === undefined) return undefined;
  return instance === undefined ? { document } : { document, instance };
}

function isOf({ hostId, workload: { key } }: ObservedDocument, copy: WantedVnfc): boolean {
  return hostId === copy.hostId && key.unit === copy.unit && key.generation === copy.generation;
}

const indexes = new WeakMap<readonly ObservedDocument[], ReadonlyMap<string, ObservedDocument>>();

/** Of a list that is asked about each of ten thousand copies: arranged once, as nobody changes a list. */
function byWorkload(observed: readonly ObservedDocument[]): ReadonlyMap<string, ObservedDocument> {
  let index = indexes.get(observed);
  if (index === undefined) {
    index = new Map(
      observed.map((document) => [workloadName(document.hostId, document.workload.key), document]),
    );
    indexes.set(observed, index);
  }
  return index;
}

function workloadName(hostId: HostId, { unit, generation }: Pick<WantedUnit, 'unit' | 'generation'>): string {
  return `${hostId} ${unit} ${generation}`;
}

function isReached(
  instance: ObservedInstance | undefined,
  copy: WantedVnfc,
  { mode, lostHosts }: ConvergenceInput,
): boolean {
  if (instance === undefined || instance.epoch < copy.epoch) return false;
  // What a job has done stays done.
  return isWellState(mode, instance) && (mode === 'job' || !lostHosts.has(copy.hostId));
}

/** Whether its host has given this copy up, in the epoch that is wanted. */
export function isFailed(instance: ObservedInstance | undefined, copy: WantedVnfc): boolean {
  return instance !== undefined && instance.epoch >= copy.epoch && instance.state === 'FAILED';
}

function describePending(
  copy: WantedVnfc,
  found: FoundCopy | undefined,
  lostHosts: ReadonlySet<HostId>,
): string {
  const where = `${copy.unit}-${copy.slot} on ${copy.hostId}`;
  if (lostHosts.has(copy.hostId)) return `${where} is LOST: the host is not heard from`;
  if (found === undefined) return `${where} is not reported yet`;
  const reason = reasonOf(found);
  return `${where} is ${found.instance?.state ?? 'PENDING'}${reason === undefined ? '' : `: ${reason}`}`;
}

function reasonOf(found: FoundCopy | undefined): string | undefined {
  return found?.instance?.reason ?? found?.document.workload.problem;
}

/** Copies that are there and not wanted. A silent host removes them when it returns: it runs only what it is assigned. */
function leftoversOf(
  { wanted, observed, lostHosts, withdrawnFrom }: ConvergenceInput,
  copies: readonly WantedVnfc[],
): readonly string[] {
  if (observed.length === 0 && withdrawnFrom.length === 0) return [];
  const wantedNames = new Set(copies.map(copyName));
  const wantedWorkloads = new Set(
    wanted.flatMap((item) => item.hosts.map(({ hostId }) => workloadName(hostId, item))),
  );
  const unconfirmed = withdrawnFrom
    .filter((hostId) => !lostHosts.has(hostId))
    .map((hostId) => `${hostId} has not confirmed yet that it runs nothing of this any more`);
  const seen = observed
    .filter(({ hostId }) => !lostHosts.has(hostId))
    .flatMap(({ hostId, workload }) => {
      const { unit, generation } = workload.key;
      const isWorkloadWanted = wantedWorkloads.has(workloadName(hostId, workload.key));
      if (!isWorkloadWanted && workload.instances.length === 0)
        return [`${unit} is being removed from ${hostId}`];
      return workload.instances
        .filter(({ slot }) => !wantedNames.has(copyName({ hostId, unit, generation, slot })))
        .map(({ slot, state }) => `${unit}-${slot} on ${hostId} is to go and is ${state}`);
    });
  return [...seen, ...unconfirmed];
}
