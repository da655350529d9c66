import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { ClusterView, SlotSet } from './cluster-view.ts';
import type { ObjectClient } from './object-client.ts';

/** What the parts of the driver share. */
export interface DriverContext {
  readonly client: ObjectClient;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hostId: HostId;
  readonly scopeLabel: string;
  readonly nodePorts: NodePortRange;
  readonly written: WrittenSets;
}

/** Which numbers a Service may have on the machines: what is usual, until the cluster says otherwise. */
export class NodePortRange {
  #first = 30_000;
  #last = 32_767;

  has(number: number): boolean {
    return number >= this.#first && number <= this.#last;
  }

  /** Takes over what a refusal says of the range. Tells whether that was something new. */
  learn(message: string): boolean {
    const [, first, last] = /range of valid ports is (\d+)-(\d+)/.exec(message) ?? [];
    if (first === undefined || last === undefined) return false;
    if (Number(first) === this.#first && Number(last) === this.#last) return false;
    this.#first = Number(first);
    this.#last = Number(last);
    return true;
  }
}

/** What each set became when this driver wrote it last, so that it sees when somebody else has changed one. */
export class WrittenSets {
  readonly #written = new Map<string, { readonly content: string; readonly spec: SetSpec }>();

  /** @param content what the set says that it is */
  remember(set: SlotSet, content: string): void {
    this.#written.set(set.object.metadata?.uid ?? '', { content, spec: specOf(set) });
  }

  forget(set: SlotSet): void {
    this.#written.delete(set.object.metadata?.uid ?? '');
  }

  /**
   * @param content what the set now says that it is: when another driver of the scope has written it, nothing is known of it here
   * @param isGivenUp whether the driver itself has scaled it to nothing since
   */
  isChangedByOthers(set: SlotSet, content: string, isGivenUp: boolean): boolean {
    const written = this.#written.get(set.object.metadata?.uid ?? '');
    if (written?.content !== content) return false;
    const { replicas, rest } = specOf(set);
    return rest !== written.spec.rest || replicas !== (isGivenUp ? 0 : written.spec.replicas);
  }
}

interface SetSpec {
  readonly replicas: number | undefined;
  /** As the server writes it, which is always in the same order. */
  readonly rest: string;
}

function specOf(set: SlotSet): SetSpec {
  if (set.kind === 'job') return { replicas: undefined, rest: JSON.stringify(set.object.spec) };
  const { replicas, ...rest } = set.object.spec ?? {};
  return { replicas, rest: JSON.stringify(rest) };
}
