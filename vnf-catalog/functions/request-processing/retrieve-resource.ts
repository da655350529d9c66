import {
  memberNameOf,
  RSC,
  type ListItem,
  type ListReply,
  type RequestPrimitive,
  type ResponsePrimitive,
} from '../../shared/index.ts';
import { ACCESS, isAllowed } from './access.ts';
import { demand } from './deciding.ts';
import type { Workbench } from './workbench.ts';
import { notFound, refusal } from './refusal.ts';
import { nestBelow, referenceTo } from './result-content.ts';
import type { Sight } from './sights.ts';

/** Result contents of a retrieval that need the resources below the target. */
const WITH_CHILDREN = [4, 5, 6, 8, 11];

/** Resources that the storage is asked for at once, at least. */
const LEAST_PAGE = 500;

interface Found {
  readonly items: readonly ListItem[];
  /** Where the list goes on, when it is not complete. */
  readonly next?: number;
}

export async function retrieveResource(
  request: RequestPrimitive,
  bench: Workbench,
): Promise<ResponsePrimitive> {
  const sight = await bench.neighbours.look({ to: bench.to });
  if ('answered' in sight || !sight.found) throw notFound(request.to);
  if (request.fc?.fu === 1) return discover(request, bench, sight);
  demand(request, bench, sight, ACCESS.retrieve, `retrieve "${request.to}"`);
  const rcn = request.rcn ?? 1;
  const name = memberNameOf(sight.target.ty);
  if (rcn === 1) return { rsc: RSC.ok, pc: { [name]: sight.resource } };
  if (!WITH_CHILDREN.includes(rcn)) throw refusal(RSC.badRequest, `rcn ${rcn} does not go with a retrieval`);
  const isWhole = rcn === 4 || rcn === 8;
  const found = await collect(request, bench, sight, isWhole ? ACCESS.retrieve : ACCESS.discover, isWhole);
  const references = found.items.map((item) => referenceTo(item, request.drt === 2));
  const below = isWhole ? nestBelow(sight.target.ri, found.items) : {};
  const content: Readonly<Record<number, unknown>> = {
    4: { [name]: { ...sight.resource, ...below } },
    5: { [name]: { ...sight.resource, ch: references } },
    6: { 'm2m:rrl': { rrf: references } },
    8: { [name]: below },
    11: { 'm2m:uril': references.map(({ val }) => val) },
  };
  return { rsc: RSC.ok, pc: content[rcn], ...continuation(found) };
}

/** Addresses of the resources below the target that the originator may discover (TS-0001 clause 10.2.6). */
async function discover(
  request: RequestPrimitive,
  bench: Workbench,
  sight: Sight,
): Promise<ResponsePrimitive> {
  demand(request, bench, sight, ACCESS.discover, `discover what is below "${request.to}"`);
  const rcn = request.rcn ?? 11;
  if (![1, 6, 11].includes(rcn)) throw refusal(RSC.badRequest, `rcn ${rcn} does not go with a discovery`);
  const found = await collect(request, bench, sight, ACCESS.discover, false);
  const references = found.items.map((item) => referenceTo(item, request.drt === 2));
  const pc =
    rcn === 6 ? { 'm2m:rrl': { rrf: references } } : { 'm2m:uril': references.map(({ val }) => val) };
  return { rsc: RSC.ok, pc, ...continuation(found) };
}

function continuation(found: Found): Pick<ResponsePrimitive, 'cnst' | 'cnot'> {
  return found.next === undefined ? {} : { cnst: 1, cnot: found.next };
}

/** Pages through what is below the target until as much as was asked for is there that the originator may see. */
async function collect(
  request: RequestPrimitive,
  bench: Workbench,
  sight: Sight,
  operation: number,
  attributes: boolean,
): Promise<Found> {
  const { fu: _, lim, ofst, lvl, ...filter } = request.fc ?? {};
  const limit = Math.min(lim ?? bench.settings.listLimit, bench.settings.listLimit);
  const items: ListItem[] = [];
  let offset = ofst ?? 0;
  for (;;) {
    const page: ListReply = await bench.neighbours.list({
      ri: sight.target.ri,
      ...filter,
      // Who may see little must not cost a request to the storage for each resource passed over.
      limit: attributes ? limit : Math.max(limit, LEAST_PAGE),
      offset,
      attributes,
      ...(lvl === undefined ? {} : { level: lvl }),
    });
    for (const [index, item] of page.items.entries()) {
      if (items.length >= limit) return { items, next: offset + index };
      if (maySee(request, bench, page, item, operation)) items.push(item);
    }
    if (page.next === undefined) return { items };
    offset = page.next;
    // Whole resources fill a message of the broker: the rest is for the next request.
    if (attributes || items.length >= limit) return { items, next: offset };
  }
}

function maySee(
  request: RequestPrimitive,
  bench: Workbench,
  page: ListReply,
  item: ListItem,
  operation: number,
): boolean {
  const governor = page.governors[item.governor];
  if (governor === undefined) return false;
  return isAllowed({ originator: request.fr, operation, governor, policies: page.policies }, bench.settings);
}
