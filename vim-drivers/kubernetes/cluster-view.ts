import { IotmanoError, messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import { LABEL } from './names.ts';
import type { ObjectClient } from './object-client.ts';
import type { Kind, KubeObject } from './objects.ts';
import { Reflector } from './reflector.ts';

/** What runs the copies of one slot. */
export type SlotSet =
  | { readonly kind: 'deployment'; readonly object: KubeObject<'deployment'> }
  | { readonly kind: 'statefulSet'; readonly object: KubeObject<'statefulSet'> }
  | { readonly kind: 'job'; readonly object: KubeObject<'job'> };

export interface ClusterViewOptions {
  readonly client: ObjectClient;
  readonly scopeLabel: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: () => void;
}

/** A watch that broke is most often taken up within this time; a cluster that is away for longer is told to whoever asks. */
const PATIENCE_MILLISECONDS = 1000;

/** All objects of a scope, as the cluster has them now. */
export class ClusterView {
  readonly pods: Reflector<'pod'>;
  readonly deployments: Reflector<'deployment'>;
  readonly statefulSets: Reflector<'statefulSet'>;
  readonly jobs: Reflector<'job'>;
  readonly services: Reflector<'service'>;
  readonly configMaps: Reflector<'configMap'>;
  readonly #all: readonly Reflector<Kind>[];
  readonly #clock: Clock;
  #podsBySlot: Map<string, KubeObject<'pod'>[]> | undefined;

  constructor({ client, scopeLabel, clock, log, onChange }: ClusterViewOptions) {
    const reflect = <K extends Kind>(kind: K): Reflector<K> =>
      new Reflector({
        client,
        kind,
        labelSelector: `${LABEL.scope}=${scopeLabel}`,
        clock,
        log,
        onChange: () => {
          if (kind === 'pod') this.#podsBySlot = undefined;
          onChange();
        },
      });
    this.#clock = clock;
    this.pods = reflect('pod');
    this.deployments = reflect('deployment');
    this.statefulSets = reflect('statefulSet');
    this.jobs = reflect('job');
    this.services = reflect('service');
    this.configMaps = reflect('configMap');
    this.#all = [this.pods, this.deployments, this.statefulSets, this.jobs, this.services, this.configMaps];
  }

  /** Follows the cluster until `close`. */
  async run(): Promise<void> {
    await Promise.all(this.#all.map((reflector) => reflector.run()));
  }

  close(): void {
    for (const reflector of this.#all) reflector.close();
  }

  /**
   * Resolves when the view is that of a cluster that answers.
   * @throws IotmanoError `unavailable`
   */
  async demandConnected(): Promise<void> {
    const deadline = this.#clock.monotonic() + PATIENCE_MILLISECONDS;
    for (;;) {
      const away = this.#all.find(({ isConnected }) => !isConnected);
      if (away === undefined) return;
      if (away.fault === undefined) {
        await away.attempted();
      } else if (this.#clock.monotonic() < deadline) {
        // Somebody asks: what waits until it tries again need not.
        for (const reflector of this.#all) reflector.hurry();
        await this.#clock.sleep(100);
      } else {
        throw faultOf(away.fault);
      }
    }
  }

  sets(): readonly SlotSet[] {
    return [
      ...Array.from(this.deployments.objects(), (object) => ({ kind: 'deployment', object }) as const),
      ...Array.from(this.statefulSets.objects(), (object) => ({ kind: 'statefulSet', object }) as const),
      ...Array.from(this.jobs.objects(), (object) => ({ kind: 'job', object }) as const),
    ];
  }

  /** Sets with that value of a label in a namespace. */
  setsWith(namespace: string, label: string, value: string): readonly SlotSet[] {
    return this.sets().filter(
      ({ object: { metadata } }) => metadata?.namespace === namespace && metadata.labels?.[label] === value,
    );
  }

  podsOf(namespace: string, slot: string): readonly KubeObject<'pod'>[] {
    this.#podsBySlot ??= Map.groupBy(
      this.pods.objects(),
      ({ metadata }) => `${metadata?.namespace ?? ''}/${metadata?.labels?.[LABEL.slot] ?? ''}`,
    );
    return this.#podsBySlot.get(`${namespace}/${slot}`) ?? [];
  }
}

function faultOf(fault: unknown): IotmanoError {
  return fault instanceof IotmanoError
    ? fault
    : new IotmanoError('unavailable', `the cluster cannot be reached: ${messageOf(fault)}`, {}, fault);
}
