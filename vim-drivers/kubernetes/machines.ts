import type { Clock } from '../../kernel/index.ts';
import { addressOf } from './inventory.ts';
import type { ObjectClient } from './object-client.ts';
import type { KubeObject } from './objects.ts';

type Found = readonly KubeObject<'node'>[];

/** An address is asked for with each workload, and changes with the machines at most. */
const FRESH_MILLISECONDS = 30_000;

/** The machines of the cluster. */
export class Machines {
  readonly #client: ObjectClient;
  readonly #clock: Clock;
  #known: { readonly at: number; readonly found: Promise<Found> } | undefined;

  constructor(client: ObjectClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** As they are now. */
  find(): Promise<Found> {
    const found = this.#client.list('node', {}).then(({ items }) => items);
    const asked = { at: this.#clock.monotonic(), found };
    this.#known = asked;
    found.catch(() => {
      if (this.#known === asked) this.#known = undefined;
    });
    return found;
  }

  /** Where one of them is reached, as they were a moment ago. */
  async address(): Promise<string | undefined> {
    const known = this.#known;
    const isFresh = known !== undefined && this.#clock.monotonic() - known.at < FRESH_MILLISECONDS;
    return addressOf(await (isFresh ? known.found : this.find()));
  }
}
