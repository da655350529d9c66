import type { Clock, IdSource } from '../../kernel/index.ts';
import { show, type Trace } from '../trace.ts';
import { createLedger, wantedSince, type Ledger } from './ledger.ts';
import { operate, problem } from './operations.ts';
import type { OrchestratorWire, Received, Reply } from './orchestrator-wire.ts';

/** What is to happen to a message instead of what is right. */
export interface Fate {
  readonly reply: Reply;
  /** Whether the message takes effect nevertheless: only its answer is lost, or another one. */
  readonly takesEffect?: boolean;
}

/** An orchestrator as an agent sees it, which may do anything. */
export interface PlayedOrchestrator {
  readonly ledger: Ledger;
  readonly wire: OrchestratorWire;
  /** Every message that came, in order. */
  readonly received: readonly Received[];
  /** With what each was answered; by the same index. Absent: not answered yet, or never. */
  readonly statuses: ReadonlyMap<Received, number>;
  /** Those whose right answer the agent never got. */
  readonly lost: ReadonlySet<Received>;
  /** Of the case that is played. */
  trace: Trace | undefined;
  /** Of the case that is played; undefined for what is right. */
  fate: ((received: Received) => Fate | undefined) | undefined;
  /** Of the case that is played: the right answer, made another one. */
  revise: ((received: Received, right: Reply) => Reply) | undefined;
  /** Of the case that is played: changes are told to who asks only. */
  arePushesKept: boolean;
}

export async function startPlayedOrchestrator(
  listen: (handler: (received: Received) => Promise<Reply>) => Promise<OrchestratorWire>,
  options: { readonly clock: Clock; readonly ids: IdSource; readonly signal: AbortSignal },
): Promise<PlayedOrchestrator> {
  const { clock, signal } = options;
  const ledger = createLedger(options.ids);
  const received: Received[] = [];
  const statuses = new Map<Received, number>();
  const lost = new Set<Received>();
  /** By boot, the revision that it was told to go on from. */
  const told = new Map<string, Told>();
  const handler = async (message: Received): Promise<Reply> => {
    received.push(message);
    const reply = await replyTo(message);
    if ('status' in reply) statuses.set(message, reply.status);
    const revision = Number('status' in reply ? reply.headers?.['mco-revision'] : undefined);
    if (message.operation === 'getWanted' && Number.isSafeInteger(revision))
      told.set(message.hostId, { bootId: message.bootId, revision });
    played.trace?.add({
      atMilliseconds: Math.round(message.at),
      operation: message.operation,
      request: shownOf(message),
      ...('status' in reply
        ? {
            answer: {
              status: reply.status,
              ...show(reply.headers ?? {}, 'body' in reply ? reply.body : undefined),
            },
          }
        : { note: reply.type === 'cut' ? 'the kit cut the connection' : 'the kit answered without end' }),
    });
    return reply;
  };
  const replyTo = async (message: Received): Promise<Reply> => {
    const fate = played.fate?.(message);
    if (fate !== undefined) lost.add(message);
    if (fate !== undefined && fate.takesEffect !== true) return fate.reply;
    try {
      const right = await operate({ ledger, clock, signal, authority: wire.authority }, message);
      return fate?.reply ?? played.revise?.(message, right) ?? right;
    } catch {
      // What does not fit the schema at all: the fault is among those of the message.
      return problem(400, `the message cannot be read: ${message.faults.join('; ')}`);
    }
  };
  const wire = await listen(handler);
  const played: PlayedOrchestrator = {
    ledger,
    wire,
    received,
    statuses,
    lost,
    trace: undefined,
    fate: undefined,
    revise: undefined,
    arePushesKept: false,
  };
  void pushChanges(played, told, clock, signal);
  return played;
}

/** What a host was told last. */
interface Told {
  readonly bootId: string;
  readonly revision: number;
}

const LOOK_MILLISECONDS = 20;

/** Where the binding has pushes: tells hosts by itself what has changed, while nothing unusual is to happen to their questions. */
async function pushChanges(
  played: PlayedOrchestrator,
  told: Map<string, Told>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { wire, ledger } = played;
  while (wire.nats !== undefined && !signal.aborted) {
    await clock.sleep(LOOK_MILLISECONDS, signal);
    const isUsual = played.fate === undefined && played.revise === undefined && !played.arePushesKept;
    if (!isUsual || !ledger.isStateConfirmed) continue;
    for (const [hostId, { bootId, revision }] of told) {
      if (revision >= ledger.revision || hostId !== ledger.host?.hostId) continue;
      told.set(hostId, { bootId, revision: ledger.revision });
      const wanted = wantedSince(ledger, revision);
      wire.nats.push({ hostId, bootId, since: revision, revision: wanted.revision, wanted });
    }
  }
}

function shownOf({
  version,
  bootId,
  sequence,
  hostId,
  query,
  body,
  digest,
  streamId,
  rangeFrom,
}: Received): ReturnType<typeof show> {
  const search = new URLSearchParams([...query]).toString();
  return show(
    {
      'mco-version': version,
      'mco-boot-id': bootId,
      'mco-sequence': sequence === undefined ? undefined : String(sequence),
      range: rangeFrom === undefined ? undefined : `bytes=${rangeFrom}-`,
    },
    body,
    [hostId, digest, streamId, search].filter((part) => part !== undefined && part !== '').join(' '),
  );
}
