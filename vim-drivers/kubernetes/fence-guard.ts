import { IotmanoError, createTurns } from '../../kernel/index.ts';
import type { Fence } from '../contract.ts';
import { statusOf } from './api-error.ts';
import { LABEL } from './names.ts';
import type { ObjectClient } from './object-client.ts';
import type { KubeObject } from './objects.ts';

export interface FenceGuardOptions {
  readonly client: Pick<ObjectClient, 'get' | 'put'>;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Makes the namespace where it is missing; throws where it is somebody else's. */
  readonly ensureNamespace: () => Promise<void>;
}

const NAME = 'fence';
/** Several drivers may raise the fence at once; each try but one's loses. */
const TRIES = 20;

/**
 * Remembers in the cluster the newest command that any driver of the scope has seen. Commands that come at once share one look, which is made
 * after they came.
 */
export class FenceGuard {
  readonly #options: FenceGuardOptions;
  #next: { readonly fences: Fence[]; readonly look: Promise<Fence> } | undefined;
  readonly #inTurn = createTurns();

  constructor(options: FenceGuardOptions) {
    this.#options = options;
  }

  /** @throws IotmanoError `stale-lease`; `driver-failed` where the namespace, or what is called so there, is somebody else's */
  async pass(fence: Fence): Promise<void> {
    const newest = await this.#raise(fence);
    if (compare(fence, newest) >= 0) return;
    throw new IotmanoError(
      'stale-lease',
      `the command is of lease ${fence.leaseNumber}, revision ${fence.revision}; the cluster has seen lease ${newest.leaseNumber}, revision ${newest.revision}`,
      { seen: newest },
    );
  }

  /**
   * Passes as long as no newer leader has given a command. For what is done again by itself: later commands of the same leader do not hinder it.
   * @throws IotmanoError `stale-lease`
   */
  async demandLease({ leaseNumber }: Fence): Promise<void> {
    const newest = fenceOf(await this.#find());
    if (leaseNumber >= newest.leaseNumber) return;
    throw new IotmanoError(
      'stale-lease',
      `the command is of lease ${leaseNumber}; the cluster has seen lease ${newest.leaseNumber}`,
      { seen: newest },
    );
  }

  /** The newest fence there is, this one included. */
  #raise(fence: Fence): Promise<Fence> {
    if (this.#next !== undefined) {
      this.#next.fences.push(fence);
      return this.#next.look;
    }
    const fences = [fence];
    const look = this.#inTurn(() => {
      this.#next = undefined;
      return this.#look(fences.reduce((a, b) => (compare(a, b) < 0 ? b : a)));
    });
    this.#next = { fences, look };
    return look;
  }

  async #look(fence: Fence): Promise<Fence> {
    for (let tries = 1; ; tries += 1) {
      const stored = await this.#find();
      const seen = fenceOf(stored);
      if (stored !== undefined && compare(fence, seen) <= 0) return seen;
      if (stored === undefined) await this.#options.ensureNamespace();
      try {
        await this.#store(fence, stored);
        return fence;
      } catch (error) {
        if (![404, 409].includes(statusOf(error) ?? 0) || tries === TRIES) throw error;
      }
    }
  }

  async #find(): Promise<KubeObject<'configMap'> | undefined> {
    const { client, namespace, labels } = this.#options;
    const stored = await client.get('configMap', namespace, NAME);
    if (stored === undefined || stored.metadata?.labels?.[LABEL.scope] === labels[LABEL.scope]) return stored;
    // Most often it is the namespace that is another's, and then that is what to say.
    await this.#options.ensureNamespace();
    throw new IotmanoError(
      'driver-failed',
      `the configMap ${namespace}/${NAME} is there already and is not of this installation; delete it`,
      { namespace, name: NAME },
    );
  }

  async #store(fence: Fence, stored: KubeObject<'configMap'> | undefined): Promise<void> {
    const { client, namespace, labels } = this.#options;
    const resourceVersion = stored?.metadata?.resourceVersion;
    await client.put('configMap', {
      metadata: {
        name: NAME,
        namespace,
        labels: { ...labels },
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      data: { leaseNumber: String(fence.leaseNumber), revision: String(fence.revision) },
    });
  }
}

function fenceOf(stored: KubeObject<'configMap'> | undefined): Fence {
  const number = (name: string): number => Number(stored?.data?.[name] ?? 0) || 0;
  return { leaseNumber: number('leaseNumber'), revision: number('revision') };
}

function compare(a: Fence, b: Fence): number {
  return a.leaseNumber - b.leaseNumber || a.revision - b.revision;
}
