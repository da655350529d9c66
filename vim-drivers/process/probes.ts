import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { messageOf, unreachable } from '../../kernel/index.ts';
import type { Probe } from '../../descriptors/index.ts';
import type { PreparedInstance } from './prepare-instance.ts';
import { sendSignal } from './system.ts';

/** What a probe needs to know of the instance. */
export interface ProbeTarget {
  readonly ports: Readonly<Record<string, number>>;
  /** How a program beside the instance is started. */
  instance(): Promise<PreparedInstance>;
}

/** Probes once. Returns nothing when all is well, else what was wrong. Never throws; an abort counts as neither and gives a text too. */
export async function probeOnce(
  probe: Probe,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<string | undefined> {
  const timeout = AbortSignal.timeout(Math.max(1, Math.round(probe.timeoutSeconds * 1000)));
  const ends = AbortSignal.any([signal, timeout]);
  const { action } = probe;
  try {
    switch (action.type) {
      case 'http':
        return await probeHttp(portOf(target, action.port), action.path, ends);
      case 'tcp':
        return await probeTcp(portOf(target, action.port), ends);
      case 'exec':
        return await probeExec(action.command, await target.instance(), ends);
      default:
        return unreachable(action);
    }
  } catch (error) {
    return timeout.aborted ? `no answer within ${probe.timeoutSeconds} s` : messageOf(error);
  }
}

function portOf(target: ProbeTarget, name: string): number {
  return target.ports[name] ?? 0;
}

function probeHttp(port: number, path: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const what = `GET http://127.0.0.1:${port}${path}`;
    const call = request({ host: '127.0.0.1', port, path, signal, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 400 ? undefined : `${what} answered ${status}`);
    });
    call.once('error', (error) => {
      if (signal.aborted) reject(error);
      else resolve(`${what}: ${messageOf(error)}`);
    });
    call.end();
  });
}

function probeTcp(port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => {
      if (signal.aborted) reject(error);
      else resolve(`port ${port}: ${messageOf(error)}`);
    });
  });
}

function probeExec(
  command: readonly string[],
  instance: PreparedInstance,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    // A group of its own, so that a probe that hangs can be ended with its children.
    const child = spawn(program, args, {
      cwd: instance.workingDirectory,
      env: instance.environment,
      stdio: 'ignore',
      detached: true,
    });
    const abort = (): void => {
      if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
      reject(new Error(`${program} was interrupted`));
    };
    signal.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => {
      signal.removeEventListener('abort', abort);
      resolve(messageOf(error));
    });
    child.once('exit', (code) => {
      signal.removeEventListener('abort', abort);
      resolve(code === 0 ? undefined : `${program} exited with code ${code ?? 'none'}`);
    });
  });
}
