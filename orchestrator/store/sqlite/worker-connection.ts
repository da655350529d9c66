import { Worker } from 'node:worker_threads';
import { IotmanoError, messageOf, type ErrorCode, type ErrorContext } from '../../../kernel/index.ts';
import type { Change } from '../contract.ts';
import { storeFailed, type Persistence, type PersistenceListener } from '../write-through.ts';
import type { ChangeRow } from './layout.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.ts';

/** The main thread's end of the worker. */
export interface WorkerConnection {
  send(message: ToWorker): void;
  /** Replaces the receiver of messages; what the worker's own death looks like is a `failed` message. */
  onMessage(receive: (message: FromWorker) => void): void;
  end(): Promise<void>;
}

export function startWorker(settings: WorkerSettings): WorkerConnection {
  // Built code lies beside its built worker, sources beside the source.
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: settings, name: 'state store' });
  let receive: (message: FromWorker) => void = () => {};
  let isEnding = false;
  const failed = (message: string) => {
    if (!isEnding) receive({ type: 'failed', code: 'store-failed', message, context: {} });
  };
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'failed' || message.type === 'closed') isEnding = true;
    receive(message);
  });
  worker.on('error', (error) => failed(`the thread of the state store failed: ${messageOf(error)}`));
  worker.on('exit', (code) => failed(`the thread of the state store ended with code ${code}`));
  return {
    send: (message) => worker.postMessage(message, []),
    onMessage: (receiver) => {
      receive = receiver;
    },
    end: async () => {
      isEnding = true;
      await worker.terminate();
    },
  };
}

export function toError(message: Extract<FromWorker, { type: 'failed' }>): IotmanoError {
  return new IotmanoError(message.code as ErrorCode, message.message, message.context as ErrorContext);
}

export interface WorkerPersistence extends Persistence {
  /** Resolves when the backup is complete and on disk. */
  backupTo(path: string): Promise<void>;
}

/**
 * Group commit: while the worker writes one batch, the commits that come in wait, and are the next batch.
 * @param versions kind → version that documents are written with
 */
export function createWorkerPersistence(
  connection: WorkerConnection,
  versions: Readonly<Record<string, number>>,
  directory: string,
  listener: PersistenceListener,
): WorkerPersistence {
  let waiting: ChangeRow[] = [];
  let isWriting = false;
  let isScheduled = false;
  let hasFailed = false;
  let isClosing = false;
  let idle: (() => void) | undefined;
  let closed: (() => void) | undefined;
  const backups = new Map<string, PromiseWithResolvers<void>>();

  function schedule(): void {
    if (isWriting || isScheduled) return;
    isScheduled = true;
    // After this turn's other commits, so that they travel together.
    queueMicrotask(() => {
      isScheduled = false;
      flush();
    });
  }

  function flush(): void {
    if (isWriting || hasFailed) return;
    if (waiting.length === 0) {
      idle?.();
      return;
    }
    isWriting = true;
    connection.send({ type: 'write', rows: waiting });
    waiting = [];
  }

  connection.onMessage((message) => {
    switch (message.type) {
      case 'durable':
        isWriting = false;
        listener.durable(message.revision);
        schedule();
        break;
      case 'failed':
        hasFailed = true;
        for (const backup of backups.values()) backup.reject(toError(message));
        listener.failed(storeFailed(`to ${directory}`, toError(message)));
        idle?.();
        closed?.();
        break;
      case 'backedUp':
        settleBackup(backups, message.path, message.problem);
        break;
      case 'closed':
        closed?.();
        break;
      case 'records':
      case 'opened':
        break;
    }
  });

  return {
    write: (change) => {
      for (const row of toRows(change, versions)) waiting.push(row);
      schedule();
    },
    backupTo: (path) => {
      if (hasFailed || isClosing) return Promise.reject(backupFailed(path, 'the store is closed'));
      if (backups.has(path))
        return Promise.reject(backupFailed(path, 'another one to that file is under way'));
      const backup = Promise.withResolvers<void>();
      backups.set(path, backup);
      connection.send({ type: 'backup', path });
      return backup.promise;
    },
    close: async () => {
      isClosing = true;
      await Promise.allSettled([...backups.values()].map(({ promise }) => promise));
      if (!hasFailed && (isWriting || waiting.length > 0)) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
      if (!hasFailed) {
        await new Promise<void>((resolve) => {
          closed = resolve;
          connection.send({ type: 'close' });
        });
      }
      await connection.end();
    },
  };
}

function settleBackup(
  backups: Map<string, PromiseWithResolvers<void>>,
  path: string,
  problem: string | undefined,
): void {
  const backup = backups.get(path);
  backups.delete(path);
  if (problem === undefined) backup?.resolve();
  else backup?.reject(backupFailed(path, problem));
}

function backupFailed(path: string, problem: string): IotmanoError {
  return new IotmanoError('unavailable', `the backup to ${path} failed: ${problem}`, { path });
}

function toRows(change: Change, versions: Readonly<Record<string, number>>): ChangeRow[] {
  return change.entries.map(({ kind, id, tenant, record }) => [
    change.entries.length,
    kind,
    id,
    tenant,
    change.revision,
    versions[kind] ?? 1,
    record === undefined ? null : JSON.stringify(record.document),
  ]);
}
