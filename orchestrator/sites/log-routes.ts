import { Readable } from 'node:stream';
import { IotmanoError, parseId, type Clock, type VnfcInstanceId } from '../../kernel/index.ts';
import { READERS, type ApiRequest, type ApiResponse, type Route } from '../api/route.ts';
import { vnfcInstanceId } from '../domain/index.ts';
import type { StateView } from '../store/index.ts';
import type { WorkloadKey } from '../../vim-drivers/index.ts';
import { notDriven, type Sites } from './sites.ts';

export interface LogRoutesOptions {
  readonly store: StateView;
  readonly clock: Clock;
  readonly sites: Sites;
}

/** Answers that are being sent, at one time. */
const MOST_STREAMS = 100;
/** What fails sooner is a proper answer; what says nothing for so long is answered as it is. */
const FIRST_MILLISECONDS = 2000;

/** Output of copies on VIMs, read through their drivers; it is not kept here. */
export function logRoutes(options: LogRoutesOptions): readonly Route[] {
  let open = 0;
  return [
    {
      method: 'GET',
      path: '/iotmano/v1/vnfc_instances/{vnfcInstanceId}/logs',
      access: READERS,
      body: 'none',
      handle: async (request): Promise<ApiResponse> => {
        const output = outputOf(options, request);
        if (open >= MOST_STREAMS)
          throw new IotmanoError(
            'too-many-requests',
            `the output of ${open} copies is being read, which is the most there may be; end some, or try again later`,
          );
        open += 1;
        const first = output.next();
        // Whoever asked may have gone before anybody reads it.
        first.catch(() => undefined);
        try {
          await within(first, options.clock);
        } catch (error) {
          open -= 1;
          throw error;
        }
        const stream = Readable.from(joined(first, output, request), { objectMode: false });
        stream.once('close', () => (open -= 1));
        return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, stream };
      },
    },
  ];
}

function outputOf(
  { store, sites }: LogRoutesOptions,
  { params, query, caller, signal }: ApiRequest,
): AsyncIterator<Uint8Array> {
  const id = parseId<VnfcInstanceId>(params['vnfcInstanceId'], 'vnfcInstanceId');
  const { hostId, key, slot } = findCopy(store, caller.tenant, id);
  if (store.get('host', hostId)?.document.vimId === undefined)
    throw new IotmanoError(
      'conflict',
      `VNFC instance ${id} runs beside the agent of host ${hostId}, and its output is there; read it on that host (iotmano logs NAME --agent-data DIRECTORY)`,
    );
  const site = sites.siteOf(hostId);
  if (site === undefined) throw notDriven(hostId);
  const tail = query.get('tail');
  const tailLines = tail === null ? {} : { tailLines: Number(tail) };
  const follow = query.get('follow') === 'true';
  return site.logs(key, { slot, follow, signal, ...tailLines })[Symbol.asyncIterator]();
}

interface Copy {
  readonly hostId: string;
  readonly key: WorkloadKey;
  readonly slot: number;
}

/** As its host has reported it: what was never there has written nothing. @throws IotmanoError `not-found` */
function findCopy(state: StateView, tenant: string, id: VnfcInstanceId): Copy {
  for (const { tenant: owner, document } of state.list('observed')) {
    const { hostId, workload } = document;
    if (owner !== tenant) continue;
    for (const { slot } of workload.instances)
      if (vnfcInstanceId(hostId, workload.key, slot) === id) return { hostId, key: workload.key, slot };
  }
  throw new IotmanoError(
    'not-found',
    `no VNFC instance ${id} has run yet, or it is gone; list them to see which there are (iotmano ps)`,
  );
}

async function within(first: Promise<unknown>, clock: Clock): Promise<void> {
  const over = new AbortController();
  await Promise.race([first, clock.sleep(FIRST_MILLISECONDS, over.signal)]).finally(() => over.abort());
}

async function* joined(
  first: Promise<IteratorResult<Uint8Array>>,
  rest: AsyncIterator<Uint8Array>,
  request: ApiRequest,
): AsyncGenerator<Uint8Array> {
  try {
    // A token may be deleted, or expire, meanwhile.
    for (let next = await first; next.done !== true && request.isStillCaller(); next = await rest.next())
      yield next.value;
  } finally {
    await rest.return?.();
  }
}
