import type { CommitDone, CommitReply, RequestPrimitive } from '../../shared/index.ts';
import { IotmanoError } from '../../../kernel/index.ts';
import { isAllowed } from './access.ts';
import { noPrivilege, notFound, refusal } from './refusal.ts';
import type { Workbench } from './workbench.ts';
import type { Sight } from './sights.ts';

/** Decisions that went stale before they were committed, in a row; more means that something is wrong. */
const MAX_TRIES = 20;

/**
 * Looks, decides, commits; when what was looked at has changed meanwhile, again from the start.
 * @param decide gives the change, or throws a refusal
 * @param isRemembered a remembered look will do, since the commit checks it
 */
export async function decideAndCommit(
  request: RequestPrimitive,
  bench: Workbench,
  decide: (sight: Sight) => Promise<Parameters<Workbench['neighbours']['commit']>[0]['change']>,
  isRemembered: boolean,
): Promise<CommitDone> {
  const { neighbours, sights, to } = bench;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const remembered = isRemembered ? sights.get(to) : undefined;
    const sight = remembered ?? (await neighbours.look({ to, key: request.key }));
    if ('answered' in sight) return sight.answered;
    if (!sight.found) throw notFound(request.to);
    const change = await decide(sight).catch((error: unknown) => {
      sights.forget(to);
      // A remembered look may be the reason of the refusal: then look anew.
      if (remembered !== undefined && error instanceof IotmanoError && error.kind === 'invalid')
        return undefined;
      throw error;
    });
    if (change === undefined) continue;
    const reply: CommitReply = await neighbours.commit({
      key: request.key,
      expect: expectationsOf(sight),
      change,
    });
    if (reply.outcome === 'refused') throw refusal(reply.rsc, reply.debug);
    if (reply.outcome === 'done') {
      if (isRemembered) sights.keep(to, sight);
      return reply;
    }
    sights.forget(to);
  }
  throw new IotmanoError('unavailable', `"${request.to}" changes too fast to decide on it`);
}

/** @throws refusal when the originator may not do that */
export function demand(
  request: RequestPrimitive,
  bench: Workbench,
  sight: Sight,
  operation: number,
  what: string,
): void {
  const { governor, policies } = sight;
  if (!isAllowed({ originator: request.fr, operation, governor, policies }, bench.settings)) {
    throw noPrivilege(request.fr, what);
  }
}

function expectationsOf(sight: Sight): [string, number][] {
  const policies = Object.entries(sight.policies).map(([ri, { rev }]): [string, number] => [ri, rev]);
  return [[sight.governor.ri, sight.governor.rev], ...policies.filter(([ri]) => ri !== sight.governor.ri)];
}
