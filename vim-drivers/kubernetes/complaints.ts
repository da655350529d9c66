import type { Clock } from '../../kernel/index.ts';
import type { ObjectClient } from './object-client.ts';
import type { KubeObject } from './objects.ts';
import { imageWords } from './pod-state.ts';
import { CONTAINER } from './pod-template.ts';
import type { CopyRecord } from './records.ts';

type Event = KubeObject<'event'>;
type Pod = KubeObject<'pod'>;

/** The last warnings of a cluster about one object, by what they are about. */
interface Complaints {
  readonly ready?: string;
  readonly alive?: string;
  readonly start?: string;
}

/** How often the warnings of a namespace are asked for, as long as something in it does not get on. */
const PACE_MILLISECONDS = 1000;
/** And as long as somebody waits for an explanation. */
const URGENT_PACE_MILLISECONDS = 200;

/** What the cluster says in events about what does not get on: only there does it tell why a probe failed or a port was taken. */
export class ComplaintBook {
  readonly #client: ObjectClient;
  readonly #clock: Clock;
  #byObject = new Map<string, Map<string, Complaints>>();
  /** The last question about a namespace, under way or answered. */
  readonly #asked = new Map<string, { readonly at: number; readonly answer: Promise<boolean> }>();

  constructor(client: ObjectClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  of(namespace: string, uid: string | undefined): Complaints {
    return this.#byObject.get(namespace)?.get(uid ?? '') ?? {};
  }

  /** Asks for the warnings in these namespaces, and forgets those of the others. Tells whether something has changed. */
  async refresh(namespaces: ReadonlySet<string>): Promise<boolean> {
    for (const name of this.#byObject.keys()) if (!namespaces.has(name)) this.#byObject.delete(name);
    return this.#askAll(namespaces, PACE_MILLISECONDS);
  }

  /** Asks again for the warnings in these namespaces, for something there lacks an explanation. */
  async explain(namespaces: ReadonlySet<string>): Promise<void> {
    await this.#askAll(namespaces, URGENT_PACE_MILLISECONDS);
  }

  async #askAll(namespaces: ReadonlySet<string>, paceMilliseconds: number): Promise<boolean> {
    const now = this.#clock.monotonic();
    const answers = [...namespaces].map((name) => {
      const last = this.#asked.get(name);
      if (last !== undefined && now - last.at < paceMilliseconds) return last.answer.then(() => false);
      const answer = this.#ask(name);
      this.#asked.set(name, { at: now, answer });
      answer.catch(() => this.#asked.delete(name));
      return answer;
    });
    return (await Promise.all(answers)).includes(true);
  }

  async #ask(namespace: string): Promise<boolean> {
    const { items } = await this.#client.list('event', { namespace, fieldSelector: 'type=Warning' });
    const found = new Map<string, Complaints>();
    for (const event of items.toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1))) {
      const uid = event.involvedObject.uid ?? '';
      found.set(uid, { ...found.get(uid), ...complaintOf(event) });
    }
    const isChanged =
      JSON.stringify([...found]) !== JSON.stringify([...(this.#byObject.get(namespace) ?? [])]);
    this.#byObject.set(namespace, found);
    return isChanged;
  }
}

function complaintOf({ reason, message = '' }: Event): Complaints {
  if (reason !== 'Unhealthy') {
    // What a kubelet says of an image in short, it has said at length before.
    const isTelling = reason?.startsWith('Failed') === true && !/^Error: (Err)?Image/.test(message);
    return isTelling ? { start: message } : {};
  }
  const [, probe, fault = ''] = /^(\w+) probe (?:failed|errored|warning)?:? ?([\s\S]*)$/.exec(message) ?? [];
  return probe === 'Readiness' ? { ready: fault } : { alive: fault };
}

/** What was wrong with a probe, in our words. */
export function probeWords(fault: string, pod: Pod, probe: 'readinessProbe' | 'livenessProbe'): string {
  const container = pod.spec?.containers.find(({ name }) => name === CONTAINER);
  const { httpGet, tcpSocket } = container?.[probe] ?? {};
  const where = `port ${httpGet?.port ?? tcpSocket?.port ?? ''}`;
  const status = /statuscode: (\d+)/.exec(fault)?.[1];
  if (status !== undefined) return `GET ${httpGet?.path ?? ''} at ${where} answered ${status}`;
  if (/connection refused/.test(fault)) return `${where} refuses connections`;
  if (/Client\.Timeout|deadline exceeded|i\/o timeout/.test(fault)) return `${where} does not answer in time`;
  return fault.trim().slice(0, 300) || 'the program of the probe failed';
}

/** Why a pod, or a set without one, does not come up, in our words. */
export function startWords(message: string, copy: CopyRecord | undefined): string {
  const port =
    /(?:Bind for|listen tcp4?|listen udp4?) \S*?:(\d+)[^\d].*?(?:already allocated|already in use)/s.exec(
      message,
    );
  if (port?.[1] !== undefined) {
    const [name = ''] =
      Object.entries(copy?.ports ?? {}).find(([, number]) => number === Number(port[1])) ?? [];
    return `port ${port[1]} (${name}) is taken`;
  }
  const line = message.replaceAll(/\s+/g, ' ').trim().slice(0, 400);
  if (copy !== undefined && line.startsWith('Failed to pull image')) return imageWords(copy.image, line);
  return /exceeded quota/.test(message) ? `the tenant's quota does not allow it: ${line}` : line;
}

function timeOf({ lastTimestamp, eventTime, metadata }: Event): string {
  return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
}
