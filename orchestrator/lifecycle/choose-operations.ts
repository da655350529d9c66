import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import { copyName, vnfcInstanceId, wantedVnfcs, type WantedVnfc } from '../domain/index.ts';
import type { HostIndex, PlacementProblem, RelocationMove, RelocationProblem } from '../placement/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';
import { seatsOf, takeSeats } from './target-hosts.ts';

/** The moves of one function, as one HEAL operation carries them out. */
export interface RelocationOperation {
  readonly record: StoredRecord<'vnf-instance'>;
  /** Hosts by VNFC instance id. */
  readonly targetHosts: Readonly<Record<string, HostId>>;
  readonly copies: readonly WantedVnfc[];
  readonly targets: ReadonlyMap<string, HostId>;
}

export interface ChosenOperations {
  readonly operations: readonly RelocationOperation[];
  /** Steps that wait for the room that others leave: a plan made when these are done has them again. */
  readonly postponedSteps: readonly number[];
}

/**
 * Which operations carry a plan out that can start together. Operations run side by side, in whatever order their hosts allow: so each has to fit while
 * everything that moves is where it was, and where it goes, at once. Functions that move in one step go together, or wait together.
 */
export function chooseOperations(
  index: HostIndex,
  state: StateView,
  problem: RelocationProblem,
  moves: readonly RelocationMove[],
): ChosenOperations {
  const operations: RelocationOperation[] = [];
  const postponed = new Set<number>();
  const requests = new Map(problem.functions.map(({ request }) => [request.functionId, request]));
  for (const group of groupsOf(moves)) {
    const chosen = [...Map.groupBy(group, ({ functionId }) => functionId)].flatMap(([id, own]) =>
      operationFor(state, id, own),
    );
    const members = chosen.flatMap(({ record }) => requests.get(record.id as VnfInstanceId) ?? []);
    if (takePlaces(index, { requests: members, rules: problem.rules }, chosen)) operations.push(...chosen);
    else for (const { step } of group) postponed.add(step);
  }
  return { operations, postponedSteps: [...postponed].toSorted((a, b) => a - b) };
}

/** Moves of functions that share a step, directly or over others, in order of their first steps. */
function groupsOf(moves: readonly RelocationMove[]): readonly (readonly RelocationMove[])[] {
  const leader = new Map<VnfInstanceId, VnfInstanceId>();
  const find = (id: VnfInstanceId): VnfInstanceId => {
    const next = leader.get(id) ?? id;
    return next === id ? id : find(next);
  };
  for (const step of Map.groupBy(moves, (move) => move.step).values())
    for (const { functionId } of step) leader.set(find(functionId), find(step[0]?.functionId ?? functionId));
  return [...Map.groupBy(moves, ({ functionId }) => find(functionId)).values()];
}

/** Which copy goes where: one that moves twice goes at once where it ends. */
function operationFor(
  state: StateView,
  functionId: VnfInstanceId,
  moves: readonly RelocationMove[],
): readonly RelocationOperation[] {
  const record = state.get('vnf-instance', functionId);
  if (record === undefined) return [];
  const copies = wantedVnfcs(record.document.wanted);
  const at = new Map(copies.map((copy) => [copy, copy.hostId]));
  for (const { unit, from, to, instances } of moves) {
    const there = copies.filter((copy) => copy.unit === unit && at.get(copy) === from);
    // The highest slots go first, as where instances become fewer.
    for (const copy of there.toReversed().slice(0, instances)) at.set(copy, to);
  }
  const moved = copies.filter((copy) => at.get(copy) !== copy.hostId);
  const targets = new Map(moved.map((copy) => [copyName(copy), at.get(copy) ?? copy.hostId]));
  const key = { tenant: record.tenant, vnfInstanceId: functionId };
  const targetHosts = Object.fromEntries(
    moved.map((copy) => [
      vnfcInstanceId(copy.hostId, { ...key, ...copy }, copy.slot),
      at.get(copy) ?? copy.hostId,
    ]),
  );
  return moved.length === 0 ? [] : [{ record, targetHosts, copies: moved, targets }];
}

/** Books the new places of a group beside its old ones. @returns whether they are all right and free; if not, nothing is booked */
function takePlaces(
  index: HostIndex,
  problem: PlacementProblem,
  operations: readonly RelocationOperation[],
): boolean {
  const begin = index.mark();
  bookCopies(index, problem, operations, -1);
  const seats = operations.flatMap(({ record, copies, targets }) =>
    seatsOf(record.id as VnfInstanceId, copies, targets),
  );
  if (takeSeats(index, problem, seats) === undefined) {
    bookCopies(index, problem, operations, 1);
    return true;
  }
  index.tellGained(index.rollback(begin));
  return false;
}

function bookCopies(
  index: HostIndex,
  { requests }: PlacementProblem,
  operations: readonly RelocationOperation[],
  sign: 1 | -1,
): void {
  for (const { record, copies } of operations) {
    const request = requests.find(({ functionId }) => functionId === record.id);
    for (const { unit, hostId } of copies) {
      const demand = request?.units.find((each) => each.unit === unit);
      const row = index.rowOf(hostId);
      if (request !== undefined && demand !== undefined && row !== undefined)
        index.book(request.functionId, demand, row, sign);
    }
  }
}
