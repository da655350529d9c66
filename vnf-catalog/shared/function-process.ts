import { createServer, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../kernel/index.ts';
import { parseBindings, type FunctionBindings } from './bindings.ts';
import { createMetrics, type MetricsRegistry } from './metrics.ts';
import { createProcessLog, type ProcessLog } from './process-log.ts';

/** What a function finds when it starts. */
export interface FunctionContext {
  readonly instance: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly bindings: FunctionBindings;
  readonly log: ProcessLog;
  readonly metrics: MetricsRegistry;
  /** Aborted when the function is to stop. */
  readonly signal: AbortSignal;
  /** Ends the process after a fault that only a restart can mend. */
  readonly fail: (reason: string) => void;
}

export interface RunningFunction {
  /** Why it is not ready, or undefined when it is. */
  notReady(): string | undefined;
  /** The bindings file was replaced. */
  reload(bindings: FunctionBindings): void | Promise<void>;
  /** Finishes what is under way and lets go of everything. */
  stop(): Promise<void>;
}

/**
 * Starts a function. What it needs from others may still be missing then: it returns at once and is not ready until it has it.
 */
export type StartFunction = (context: FunctionContext) => Promise<RunningFunction>;

/**
 * The frame of every function's process: probes and metrics on METRICS_PORT, bindings from BINDINGS_FILE read again on
 * SIGHUP, a graceful stop on SIGTERM and SIGINT.
 */
export async function runFunction(name: string, start: StartFunction): Promise<void> {
  const environment = process.env;
  const instance = environment['INSTANCE_ID'] ?? `${name}-${process.pid}`;
  const log = createProcessLog(name, instance);
  const metrics = createMetrics();
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  metrics.gauge(
    'process_cpu_seconds_total',
    'CPU time used.',
    () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  );
  const stopping = new AbortController();
  const fail = (reason: string): void => {
    log.error({ reason }, 'the function cannot go on');
    process.exit(1);
  };
  process.on('uncaughtException', (error) => fail(error.stack ?? messageOf(error)));
  process.on('unhandledRejection', (error) =>
    fail(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );

  const file = environment['BINDINGS_FILE'] ?? 'bindings.json';
  let running: RunningFunction | undefined;
  const probes = await serveProbes(
    environment,
    metrics,
    () => running?.notReady() ?? (running ? undefined : 'starting'),
  );
  const stop = (signal: string): void => {
    if (stopping.signal.aborted) return;
    log.info({ signal }, 'stopping');
    stopping.abort();
    void (async () => {
      await running?.stop();
      probes.close();
      process.exit(0);
    })();
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  let isReloadWanted = false;
  const reload = async (): Promise<void> => {
    isReloadWanted = running === undefined;
    try {
      await running?.reload(parseBindings(readFileSync(file, 'utf8')));
      log.info({}, 'bindings reloaded');
    } catch (error) {
      log.error({ error: messageOf(error) }, 'the new bindings were refused; the old ones stay');
    }
  };
  process.on('SIGHUP', () => void reload());
  const bindings = parseBindings(readFileSync(file, 'utf8'));
  running = await start({ instance, environment, bindings, log, metrics, signal: stopping.signal, fail });
  log.info({ pid: process.pid }, 'started');
  if (isReloadWanted) await reload();
}

async function serveProbes(
  environment: NodeJS.ProcessEnv,
  metrics: MetricsRegistry,
  notReady: () => string | undefined,
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(metrics.render());
      return;
    }
    if (request.url === '/alive') {
      response.writeHead(200).end('alive\n');
      return;
    }
    if (request.url === '/ready') {
      const reason = notReady();
      response.writeHead(reason === undefined ? 200 : 503).end(`${reason ?? 'ready'}\n`);
      return;
    }
    response.writeHead(404).end();
  });
  const port = Number(environment['METRICS_PORT'] ?? 0);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, environment['METRICS_ADDRESS'] ?? '127.0.0.1', resolve);
  });
  return server;
}
