import type { IncomingMessage } from 'node:http';
import { statusOf } from './api-error.ts';
import { KINDS, pathOf, type Kind, type KubeObject } from './objects.ts';
import type { ApiTransport } from './transport.ts';

/** What is wanted of an object: its fields that are ours. */
export type Manifest<K extends Kind> = Omit<KubeObject<K>, 'apiVersion' | 'kind' | 'status' | 'metadata'> & {
  readonly metadata: NonNullable<KubeObject<K>['metadata']> & { readonly name: string };
};

export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface DeleteOptions {
  readonly graceSeconds?: number;
  /** Deletes nothing but that one; another of the name is left alone. */
  readonly uid?: string;
}

export interface WatchEvent<K extends Kind> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject<K>;
}

/** Who wrote a field, as Kubernetes remembers: what is wanted, or what the driver has decided by itself. */
export type FieldManager = 'iotmano' | 'iotmano-supervision';

const PAGE = '500';
/** The server ends a watch after so long, and all is listed anew: what a watch may have missed is missed for no longer. */
const WATCH_SECONDS = '60';

/** Objects of a cluster, by the calls of the API that the driver needs. */
export class ObjectClient {
  readonly transport: ApiTransport;

  constructor(transport: ApiTransport) {
    this.transport = transport;
  }

  async get<K extends Kind>(
    kind: K,
    namespace: string | undefined,
    name: string,
  ): Promise<KubeObject<K> | undefined> {
    try {
      const body = await this.transport.send({ method: 'GET', path: pathOf(kind, namespace, name) });
      return JSON.parse(body) as KubeObject<K>;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async list<K extends Kind>(
    kind: K,
    { namespace, labelSelector, fieldSelector }: Selection,
  ): Promise<{ readonly items: readonly KubeObject<K>[]; readonly resourceVersion: string }> {
    const items: KubeObject<K>[] = [];
    let next: string | undefined;
    for (;;) {
      const body = await this.transport.send({
        method: 'GET',
        path: pathOf(kind, namespace),
        query: { labelSelector, fieldSelector, limit: PAGE, continue: next },
      });
      const page = JSON.parse(body) as {
        readonly items: readonly KubeObject<K>[] | null;
        readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
      };
      items.push(...(page.items ?? []));
      next = page.metadata.continue;
      if (next === undefined || next === '') return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  /** Server-side apply: makes the fields of the manifest so, and lets go of those that it no longer has. Idempotent. */
  async apply<K extends Kind>(
    kind: K,
    manifest: Manifest<K>,
    fieldManager: FieldManager = 'iotmano',
  ): Promise<KubeObject<K>> {
    const { apiVersion, kind: kindName } = KINDS[kind];
    const { namespace, name } = manifest.metadata;
    const body = await this.transport.send({
      method: 'PATCH',
      path: pathOf(kind, namespace, name),
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion, kind: kindName, ...manifest },
    });
    return JSON.parse(body) as KubeObject<K>;
  }

  /** Creates, or replaces the version that the manifest names; somebody else's change in between is a conflict (409). */
  async put<K extends Kind>(kind: K, manifest: Manifest<K>): Promise<KubeObject<K>> {
    const { apiVersion, kind: kindName } = KINDS[kind];
    const { namespace, name, resourceVersion } = manifest.metadata;
    const isNew = resourceVersion === undefined;
    const body = await this.transport.send({
      method: isNew ? 'POST' : 'PUT',
      path: pathOf(kind, namespace, isNew ? undefined : name),
      query: { fieldManager: 'iotmano' },
      body: { apiVersion, kind: kindName, ...manifest },
    });
    return JSON.parse(body) as KubeObject<K>;
  }

  /** What is not there, or is another one than the options say, is no error. */
  async delete(
    kind: Kind,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.#delete(pathOf(kind, namespace, name), {}, options);
  }

  async deleteAll(
    kind: Kind,
    namespace: string,
    labelSelector: string,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.#delete(pathOf(kind, namespace), { labelSelector }, options);
  }

  async #delete(
    path: string,
    query: Readonly<Record<string, string>>,
    { graceSeconds, uid }: DeleteOptions,
  ): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    try {
      await this.transport.send({ method: 'DELETE', path, query, body });
    } catch (error) {
      const status = statusOf(error);
      if (status !== 404 && !(status === 409 && uid !== undefined)) throw error;
    }
  }

  /** What changes from that version on, until the server or the signal ends it. Resolves when the server has begun to tell. */
  async watch<K extends Kind>(
    kind: K,
    { labelSelector }: Selection,
    resourceVersion: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent<K>>> {
    const response = await this.transport.open({
      method: 'GET',
      path: pathOf(kind),
      query: {
        labelSelector,
        resourceVersion,
        watch: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds: WATCH_SECONDS,
      },
      signal,
    });
    return eventsOf(response);
  }
}

async function* eventsOf<K extends Kind>(response: IncomingMessage): AsyncGenerator<WatchEvent<K>> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent<K>;
  }
}
