import { IotmanoError, type TenantId } from '../../kernel/index.ts';
import { statusOf } from './api-error.ts';
import type { DriverContext } from './context.ts';
import { LABEL, labelValue, namespaceName, NOTE, scopeNamespaceName } from './names.ts';
import type { Kind, KubeObject } from './objects.ts';
import { createQuota, tenantPolicy, type QuotaBounds } from './tenant-objects.ts';

export interface NamespaceOptions {
  readonly prefix: string;
  readonly scope: string;
  readonly quota: QuotaBounds;
}

/** How long a namespace that is just being deleted is waited for. */
const DELETION_MILLISECONDS = 30_000;
/** A tenant that has nothing left may have something again in a moment. */
const LINGER_MILLISECONDS = 10_000;
/** Kinds that somebody else may have put into a tenant's namespace. */
const CONTENT: readonly Kind[] = ['pod', 'deployment', 'statefulSet', 'job', 'service', 'claim', 'configMap'];
/** Stands for the namespaces that an earlier driver has left; no namespace has no name. */
const EARLIER = '';
/** Every namespace has it. */
const BUILT_IN = 'kube-root-ca.crt';

/** The namespaces of a scope: one for each tenant that has something, and one for what belongs to none. */
export class Namespaces {
  readonly #context: DriverContext;
  readonly #options: NamespaceOptions;
  readonly #users = new Map<string, number>();
  readonly #ensured = new Map<string, Promise<void>>();
  readonly #deleting = new Map<string, Promise<void>>();
  readonly #lastUse = new Map<string, number>();

  constructor(context: DriverContext, options: NamespaceOptions) {
    this.#context = context;
    this.#options = options;
    this.touch(EARLIER);
  }

  nameOf(tenant: string): string {
    return namespaceName(this.#options.prefix, tenant);
  }

  get scopeNamespace(): string {
    return scopeNamespaceName(this.#options.prefix);
  }

  async ensureScope(): Promise<void> {
    await this.#make(this.scopeNamespace, this.#labels());
  }

  /**
   * Does something in the namespace of a tenant, which is there and stays there meanwhile.
   * @throws IotmanoError `driver-failed` where it is somebody else's
   */
  async use<T>(tenant: TenantId, task: (namespace: string) => Promise<T>): Promise<T> {
    const name = this.nameOf(tenant);
    await this.#deleting.get(name);
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    try {
      await this.#ensure(name, tenant);
      return await task(name);
    } catch (error) {
      // Somebody has deleted it: the next use makes it again.
      if (isNamespaceGone(error)) {
        this.#ensured.delete(name);
        throw new IotmanoError('unavailable', `the namespace ${name} was deleted meanwhile`, { name }, error);
      }
      throw error;
    } finally {
      this.#users.set(name, (this.#users.get(name) ?? 1) - 1);
      this.touch(name);
    }
  }

  /** Something of the namespace was in use until now. */
  touch(name: string): void {
    this.#lastUse.set(name, this.#context.clock.monotonic());
  }

  /** Deletes the namespaces of tenants that have nothing left. */
  async sweep(): Promise<void> {
    const { client, scopeLabel } = this.#context;
    const labelSelector = `${LABEL.scope}=${scopeLabel},${LABEL.tenant}`;
    const { items } = await client.list('namespace', { labelSelector });
    for (const namespace of items) {
      const name = namespace.metadata?.name ?? '';
      if (namespace.metadata?.deletionTimestamp !== undefined || !this.#isIdle(name)) continue;
      const isEmpty = await this.#isEmpty(name);
      if (!this.#isIdle(name)) continue;
      if (!isEmpty) {
        this.#lastUse.delete(name);
        continue;
      }
      const deleting = this.#delete(namespace).finally(() => this.#deleting.delete(name));
      this.#deleting.set(
        name,
        deleting.catch(() => undefined),
      );
      await deleting;
    }
    // Only now: a look that failed is to come again.
    const found = new Set(items.map(({ metadata }) => metadata?.name));
    for (const name of this.#lastUse.keys())
      if (!found.has(name) && this.#isIdle(name)) this.#lastUse.delete(name);
  }

  /** Some namespace was last in use so long ago that it is worth a look. */
  get hasIdle(): boolean {
    return [...this.#lastUse.keys()].some((name) => this.#isIdle(name));
  }

  /** Nobody uses it, or has until a moment ago. */
  #isIdle(name: string): boolean {
    const lastUse = this.#lastUse.get(name) ?? Number.NEGATIVE_INFINITY;
    const isUsed = (this.#users.get(name) ?? 0) > 0;
    return !isUsed && this.#context.clock.monotonic() - lastUse >= LINGER_MILLISECONDS;
  }

  async #delete(namespace: KubeObject<'namespace'>): Promise<void> {
    const { name = '', uid } = namespace.metadata ?? {};
    this.#ensured.delete(name);
    await this.#context.client.delete('namespace', undefined, name, uid === undefined ? {} : { uid });
    this.#lastUse.delete(name);
  }

  async #isEmpty(name: string): Promise<boolean> {
    for (const kind of CONTENT) {
      const { items } = await this.#context.client.list(kind, { namespace: name });
      if (items.some(({ metadata }) => metadata?.name !== BUILT_IN)) return false;
    }
    return true;
  }

  async #ensure(name: string, tenant: TenantId): Promise<void> {
    const making = this.#ensured.get(name) ?? this.#makeForTenant(name, tenant);
    this.#ensured.set(name, making);
    try {
      await making;
    } catch (error) {
      if (this.#ensured.get(name) === making) this.#ensured.delete(name);
      throw error;
    }
  }

  async #makeForTenant(name: string, tenant: TenantId): Promise<void> {
    const { client } = this.#context;
    const labels = { ...this.#labels(), [LABEL.tenant]: labelValue(tenant) };
    await this.#make(name, labels);
    const quota = createQuota(name, labels, this.#options.quota);
    await Promise.all([
      client.apply('networkPolicy', tenantPolicy(name, labels)),
      quota === undefined ? client.delete('quota', name, 'tenant') : client.apply('quota', quota),
    ]);
  }

  /** Makes the namespace where it is missing; takes over none that is another's, be it another tenant's. */
  async #make(name: string, labels: Record<string, string>): Promise<void> {
    const { client, clock } = this.#context;
    const deadline = clock.monotonic() + DELETION_MILLISECONDS;
    for (;;) {
      const found = await client.get('namespace', undefined, name);
      if (found === undefined) {
        const annotations = { [NOTE.scope]: this.#options.scope };
        try {
          await client.put('namespace', { metadata: { name, labels, annotations } });
          return;
        } catch (error) {
          if (statusOf(error) !== 409) throw error;
        }
      } else {
        const { labels: has = {} } = found.metadata ?? {};
        const isOurs = [LABEL.scope, LABEL.tenant].every((label) => has[label] === labels[label]);
        if (!isOurs) throw foreign(name);
        if (found.metadata?.deletionTimestamp === undefined) return;
        if (clock.monotonic() > deadline)
          throw new IotmanoError('unavailable', `the namespace ${name} is still being deleted`, { name });
        await clock.sleep(200);
      }
    }
  }

  #labels(): Record<string, string> {
    return { 'app.kubernetes.io/managed-by': 'iotmano', [LABEL.scope]: this.#context.scopeLabel };
  }
}

function foreign(name: string): IotmanoError {
  return new IotmanoError(
    'driver-failed',
    `the namespace ${name} is there already and is not of this installation, or of another tenant; delete it, or give the VIM connection another namespacePrefix`,
    { namespace: name },
  );
}

function isNamespaceGone(error: unknown): boolean {
  return (
    error instanceof IotmanoError &&
    [403, 404].includes(statusOf(error) ?? 0) &&
    /namespaces? .*not found|being terminated/.test(error.message)
  );
}
