import { IotmanoError, type HostId } from '../../kernel/index.ts';
import { matchesLabels, parseExpression } from '../../descriptors/index.ts';
import { hostLabels, type HostFactsDocument } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';

export interface SelectedHost {
  readonly hostId: HostId;
  /** As label expressions see it. */
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFactsDocument | undefined;
  readonly revokedAt: string | undefined;
}

const MOST_NAMED = 10;

/** Hosts that have an agent and match, by id. @param select label expression; absent: all */
export function* selectHosts(state: StateView, select: string | undefined): Generator<SelectedHost> {
  const expression = select === undefined ? undefined : parseExpression(select).expression;
  for (const { id, document } of state.list('host')) {
    if (document.vimId !== undefined) continue;
    const hostId = id as HostId;
    const facts = state.get('host-facts', hostId)?.document;
    const labels = facts === undefined ? { host: hostId } : hostLabels(hostId, facts);
    const isMeant = select === undefined || (expression !== undefined && matchesLabels(expression, labels));
    if (isMeant) yield { hostId, labels, facts, revokedAt: document.revokedAt };
  }
}

/** An upgrade of nothing is a slip: it would be over at once. @throws IotmanoError `unprocessable` naming the expression and the hosts there are */
export function requireSome(state: StateView, select: string | undefined): void {
  const [first] = selectHosts(state, select);
  if (first !== undefined) return;
  const all = [...selectHosts(state, undefined)].map(({ hostId }) => hostId);
  const pointer = { pointer: '/select' };
  if (all.length === 0)
    throw new IotmanoError('unprocessable', 'no host has an agent yet; enrol one first', pointer);
  const named = all.slice(0, MOST_NAMED).join(', ');
  const more = all.length > MOST_NAMED ? `, and ${all.length - MOST_NAMED} more` : '';
  throw new IotmanoError(
    'unprocessable',
    `select: "${select ?? ''}" matches none of the hosts that have an agent (${named}${more}); see how they are labelled (iotmano hosts -o json), and change the expression`,
    pointer,
  );
}
