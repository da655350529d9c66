import { startOutsideProgram } from '../../shared/index.ts';

/** One nats-server process below this one. */
export interface NatsServer {
  readonly pid: number;
  /** Takes over the configuration file that was replaced. */
  reload(): void;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts nats-server from PATH, bound to the life of this process.
 * @param configFile absolute path
 * @param onExit called when it ends without being told to
 * @throws IotmanoError `artifact-unusable` when there is no nats-server
 */
export function startNatsServer(
  directory: string,
  configFile: string,
  onExit: (reason: string) => void,
): NatsServer {
  const server = startOutsideProgram({
    program: 'nats-server',
    args: ['-c', configFile],
    versionArgs: ['--version'],
    remedy: 'Debian: apt-get install nats-server',
    directory,
    mark: configFile,
    onExit,
  });
  return { pid: server.pid, reload: () => server.signal('SIGHUP'), stop: () => server.stop() };
}
