import type { Clock } from '../../kernel/index.ts';
import type { WorkloadUsage } from '../contract.ts';
import { statusOf } from './api-error.ts';
import type { ObjectClient } from './object-client.ts';
import { pathOf, type KubeObject } from './objects.ts';
import { parseQuantity } from './quantities.ts';

export type Figures = Omit<WorkloadUsage['instances'][number], 'slot' | 'restarts'>;

/** What a kubelet says of the pods of its machine (`/stats/summary`), as far as it is used. */
interface Summary {
  readonly pods?: readonly {
    readonly podRef: { readonly uid: string };
    readonly containers?: readonly {
      readonly name: string;
      readonly cpu?: { readonly usageCoreNanoSeconds?: number };
      readonly memory?: { readonly workingSetBytes?: number };
    }[];
    readonly network?: { readonly rxBytes?: number; readonly txBytes?: number };
  }[];
}

interface PodMetrics {
  readonly containers: readonly { readonly usage: { readonly cpu: string; readonly memory: string } }[];
}

/** All workloads of a machine are asked for at about the same time: one look serves them. */
const FRESH_MILLISECONDS = 1000;
/** What nobody has asked for in so long is most likely gone. */
const FORGOTTEN_MILLISECONDS = 3_600_000;

/**
 * What pods use. From their kubelet, which knows the CPU time since they began, and the traffic; where the account may not ask it, from
 * metrics.k8s.io, whose momentary CPU is added up from the first look on.
 */
export class UsageReader {
  readonly #client: ObjectClient;
  readonly #clock: Clock;
  readonly #summaries = new Map<
    string,
    { readonly at: number; readonly summary: Promise<Summary | undefined> }
  >();
  readonly #added = new Map<string, { readonly at: number; readonly cpuSeconds: number }>();

  constructor(client: ObjectClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async figuresOf(pod: KubeObject<'pod'>): Promise<Figures | undefined> {
    const machine = pod.spec?.nodeName;
    if (machine === undefined) return undefined;
    const summary = await this.#summaryOf(machine);
    if (summary === undefined) return this.#fromMetrics(pod);
    const found = summary.pods?.find(({ podRef }) => podRef.uid === pod.metadata?.uid);
    const container = found?.containers?.[0];
    if (container === undefined) return undefined;
    const { rxBytes, txBytes } = found?.network ?? {};
    return {
      cpuSeconds: (container.cpu?.usageCoreNanoSeconds ?? 0) / 1e9,
      memoryBytes: container.memory?.workingSetBytes ?? 0,
      ...(rxBytes === undefined ? {} : { receivedBytes: rxBytes }),
      ...(txBytes === undefined ? {} : { sentBytes: txBytes }),
    };
  }

  async #summaryOf(machine: string): Promise<Summary | undefined> {
    const known = this.#summaries.get(machine);
    if (known !== undefined && this.#clock.monotonic() - known.at < FRESH_MILLISECONDS) return known.summary;
    const summary = this.#readSummary(machine);
    this.#forget();
    this.#summaries.set(machine, { at: this.#clock.monotonic(), summary });
    summary.catch(() => this.#summaries.delete(machine));
    return summary;
  }

  #forget(): void {
    const since = this.#clock.monotonic() - FORGOTTEN_MILLISECONDS;
    for (const map of [this.#summaries, this.#added])
      for (const [name, { at }] of map) if (at < since) map.delete(name);
  }

  async #readSummary(machine: string): Promise<Summary | undefined> {
    try {
      const path = `${pathOf('node', undefined, machine)}/proxy/stats/summary`;
      return JSON.parse(await this.#client.transport.send({ method: 'GET', path })) as Summary;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #fromMetrics({ metadata }: KubeObject<'pod'>): Promise<Figures | undefined> {
    const { namespace = '', name = '', uid = '' } = metadata ?? {};
    const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods/${name}`;
    try {
      const metrics = JSON.parse(await this.#client.transport.send({ method: 'GET', path })) as PodMetrics;
      const usage = metrics.containers[0]?.usage;
      const at = this.#clock.monotonic();
      const known = this.#added.get(uid) ?? { at, cpuSeconds: 0 };
      const cpuSeconds = known.cpuSeconds + (parseQuantity(usage?.cpu) * (at - known.at)) / 1000;
      this.#added.set(uid, { at, cpuSeconds });
      return { cpuSeconds, memoryBytes: parseQuantity(usage?.memory) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

function isMissing(error: unknown): boolean {
  return [403, 404].includes(statusOf(error) ?? 0);
}
