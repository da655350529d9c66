import type Docker from 'dockerode';
import type { Logger } from '../../kernel/index.ts';
import { viewContainer, type ContainerView } from './container-view.ts';
import type { Engine } from './engine.ts';
import { hasStatus } from './engine-errors.ts';
import { KIND_LABEL, SCOPE_LABEL } from './labels.ts';

interface Known {
  readonly view: ContainerView;
  /** As the list of containers shows it: where that differs, the view is out of date. */
  readonly summary: string;
}

/**
 * The containers of one scope, as of the latest look at each. A look at all is one call, and one more for each that has changed since; events tell
 * which to look at in between.
 */
export class Containers {
  readonly #engine: Engine;
  readonly #scope: string;
  readonly #log: Logger;
  readonly #byId = new Map<string, Known>();
  readonly #byInstance = new Map<string, readonly ContainerView[]>();
  /** Those that have our label and are not of our making: told of once. */
  readonly #strangers = new Set<string>();
  readonly #latestLook = new Map<string, number>();
  readonly #onChange: (instance: string) => void;
  #looks = 0;
  #whole: { readonly running: Promise<void>; isBegun: boolean } | undefined;

  /** @param onChange told after the view of an instance's container has changed */
  constructor(engine: Engine, scope: string, log: Logger, onChange: (instance: string) => void) {
    this.#engine = engine;
    this.#scope = scope;
    this.#log = log;
    this.#onChange = onChange;
  }

  all(): readonly ContainerView[] {
    return [...this.#byId.values()].map(({ view }) => view);
  }

  /** The containers of an instance, the newest first: more than one only where somebody has copied one by hand. */
  of(instance: string): readonly ContainerView[] {
    return this.#byInstance.get(instance) ?? [];
  }

  /** Looks at one container anew. @returns nothing when it is gone or is not ours */
  async look(id: string): Promise<ContainerView | undefined> {
    this.#looks += 1;
    const mine = this.#looks;
    const inspected = await this.#inspect(id);
    if (mine < (this.#latestLook.get(id) ?? 0)) return this.#byId.get(id)?.view; // a later look was quicker
    this.#latestLook.set(id, mine);
    const isOurs = inspected?.Config.Labels?.[SCOPE_LABEL] === this.#scope;
    if (inspected === undefined || !isOurs) {
      this.#forget(id);
      return undefined;
    }
    const view = viewContainer(inspected);
    if (view === undefined) {
      if (!this.#strangers.has(id))
        this.#log.warn(
          { container: id },
          'a container has our label and not the rest of what we write; left alone',
        );
      this.#strangers.add(id);
      return undefined;
    }
    this.#keep(view);
    return view;
  }

  /** Looks at all of them. Those who come while a look has not begun share it. */
  async lookAtAll(options: { readonly isThorough?: boolean } = {}): Promise<void> {
    const waiting = this.#whole;
    if (waiting !== undefined && !waiting.isBegun && options.isThorough !== true) return waiting.running;
    const before = waiting?.running ?? Promise.resolve();
    const next = { isBegun: false, running: Promise.resolve() };
    next.running = (async () => {
      await before.catch(() => undefined);
      next.isBegun = true;
      await this.#lookAtAll(options.isThorough === true);
    })();
    this.#whole = next;
    return next.running;
  }

  async #lookAtAll(isThorough: boolean): Promise<void> {
    const listed = await this.#engine.request<readonly Docker.ContainerInfo[]>({
      method: 'GET',
      path: '/containers/json',
      query: { all: true, filters: { label: [`${SCOPE_LABEL}=${this.#scope}`, `${KIND_LABEL}=instance`] } },
      what: 'list containers',
    });
    const ids = new Set(listed.map(({ Id }) => Id));
    for (const id of this.#byId.keys()) if (!ids.has(id)) await this.look(id); // made since, or gone
    await Promise.all(
      listed
        .filter((info) => isThorough || this.#byId.get(info.Id)?.summary !== summaryOf(info))
        .map(({ Id }) => this.look(Id)),
    );
  }

  async #inspect(id: string): Promise<Docker.ContainerInspectInfo | undefined> {
    try {
      return await this.#engine.request({
        method: 'GET',
        path: `/containers/${id}/json`,
        what: `look at the container ${id}`,
        timeoutSeconds: 30, // it waits while the engine starts the container
      });
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  #keep(view: ContainerView): void {
    const before = this.#byId.get(view.id)?.view;
    this.#byId.set(view.id, { view, summary: `${view.name} ${view.status}` });
    if (JSON.stringify(before) === JSON.stringify(view)) return;
    this.#index(instanceOf(view), view.id, view);
    this.#onChange(instanceOf(view));
  }

  #forget(id: string): void {
    const before = this.#byId.get(id)?.view;
    this.#byId.delete(id);
    this.#strangers.delete(id);
    this.#latestLook.delete(id);
    if (before === undefined) return;
    this.#index(instanceOf(before), id, undefined);
    this.#onChange(instanceOf(before));
  }

  #index(instance: string, id: string, view: ContainerView | undefined): void {
    const others = this.of(instance).filter((other) => other.id !== id);
    const all = view === undefined ? others : [...others, view];
    const newestFirst = all.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    if (all.length === 0) this.#byInstance.delete(instance);
    else this.#byInstance.set(instance, newestFirst);
  }
}

function summaryOf({ Names, State }: Docker.ContainerInfo): string {
  const own = Names.find((name) => !name.slice(1).includes('/')) ?? '';
  return `${own.slice(1)} ${State}`;
}

export function instanceOf({ mark }: Pick<ContainerView, 'mark'>): string {
  const { key, slot } = mark;
  return `${key.vnfInstanceId}-${key.unit}-g${key.generation}-${slot}`;
}
