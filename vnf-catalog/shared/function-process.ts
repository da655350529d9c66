import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { resolve } from 'node:path';
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

/** The function of this process, once it has started. */
interface Frame {
  readonly file: string;
  readonly log: ProcessLog;
  readonly stopping: AbortController;
  running?: RunningFunction;
  /** Bindings were replaced since they were last read; one reload at a time, however many signals come. */
  isReloadWanted: boolean;
  isReloading: boolean;
}

/**
 * The frame of every function's process: probes and metrics on METRICS_PORT, bindings from BINDINGS_FILE read again on
 * SIGHUP, a graceful stop on SIGTERM and SIGINT.
 */
export async function runFunction(name: string, start: StartFunction): Promise<void> {
  const environment = process.env;
  const instance = environment['INSTANCE_ID'] ?? `${name}-${process.pid}`;
  const log = createProcessLog(name, instance);
  const metrics = createMetrics();
  reportProcess(metrics);
  // A function may change its working directory.
  const file = resolve(environment['BINDINGS_FILE'] ?? 'bindings.json');
  const frame: Frame = {
    file,
    log,
    stopping: new AbortController(),
    isReloadWanted: false,
    isReloading: false,
  };
  const fail = (reason: string): void => {
    log.error({ reason }, 'the function cannot go on');
    process.exit(1);
  };
  process.on('uncaughtException', (error) => fail(error.stack ?? messageOf(error)));
  process.on('unhandledRejection', (error) =>
    fail(error instanceof Error ? (error.stack ?? '') : String(error)),
  );
  const probes = await serveProbes(environment, metrics, () => whyNotReady(frame));
  process.on('SIGTERM', () => void stop(frame, probes));
  process.on('SIGINT', () => void stop(frame, probes));
  process.on('SIGHUP', () => void reload(frame));
  const bindings = parseBindings(readFileSync(file, 'utf8'));
  const { signal } = frame.stopping;
  frame.running = await start({ instance, environment, bindings, log, metrics, signal, fail });
  log.info({ pid: process.pid }, 'started');
  if (frame.isReloadWanted) await reload(frame);
}

/** Readiness goes first: who spreads load over instances learns that this one stops while it still answers. */
function whyNotReady({ stopping, running }: Frame): string | undefined {
  if (stopping.signal.aborted) return 'stopping';
  return running === undefined ? 'starting' : running.notReady();
}

async function reload(frame: Frame): Promise<void> {
  frame.isReloadWanted = true;
  if (frame.running === undefined || frame.isReloading) return;
  frame.isReloading = true;
  while (frame.isReloadWanted) {
    frame.isReloadWanted = false;
    try {
      await frame.running.reload(parseBindings(readFileSync(frame.file, 'utf8')));
      frame.log.info({}, 'bindings reloaded');
    } catch (error) {
      frame.log.error({ error: messageOf(error) }, 'the new bindings were refused; the old ones stay');
    }
  }
  frame.isReloading = false;
}

async function stop(frame: Frame, probes: Server): Promise<void> {
  if (frame.stopping.signal.aborted) return;
  frame.log.info({}, 'stopping');
  frame.stopping.abort();
  await frame.running?.stop();
  probes.close();
  process.exit(0);
}

function reportProcess(metrics: MetricsRegistry): void {
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  metrics.gauge('process_cpu_seconds_total', 'CPU time used.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
}

async function serveProbes(
  environment: NodeJS.ProcessEnv,
  metrics: MetricsRegistry,
  notReady: () => string | undefined,
): Promise<Server> {
  const server = createServer((request, response) => {
    const text = (status: number, body: string): void => void response.writeHead(status).end(`${body}\n`);
    if (request.url === '/metrics') {
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(metrics.render());
    } else if (request.url === '/alive') {
      text(200, 'alive');
    } else if (request.url === '/ready') {
      const reason = notReady();
      text(reason === undefined ? 200 : 503, reason ?? 'ready');
    } else {
      text(404, 'known are /ready, /alive and /metrics');
    }
  });
  const port = Number(environment['METRICS_PORT'] ?? 0);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, environment['METRICS_ADDRESS'] ?? '127.0.0.1', resolve);
  });
  return server;
}
