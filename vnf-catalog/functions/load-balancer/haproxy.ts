import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../kernel/index.ts';
import { startOutsideProgram, type OutsideProgram } from '../../shared/index.ts';
import { sendCommand } from './command-socket.ts';
import { COMMAND_SOCKET, FRONTEND } from './proxy-config.ts';
import { parseFigures, type ProxyFigures } from './proxy-figures.ts';

const CONFIG_FILE = 'haproxy.cfg';
/** The master's, through which every worker is reached, those too that finish what they have. */
const MASTER_SOCKET = 'master.sock';
const TAKE_OVER_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 50;
/** Nothing was under way for so long: devices have what they asked for. */
const QUIET_MILLISECONDS = 300;

/** One HAProxy below this process: a master, and the worker of the configuration that it runs. */
export class HaProxy {
  readonly #directory: string;
  readonly #program: OutsideProgram;

  private constructor(directory: string, program: OutsideProgram) {
    this.#directory = directory;
    this.#program = program;
  }

  /**
   * @param directory absolute, and the working directory of this process: the whole path could be too long for a socket
   * @throws IotmanoError `artifact-unusable` when there is no haproxy
   */
  static start(directory: string, config: string, onExit: (reason: string) => void): HaProxy {
    writeConfig(directory, config);
    const program = startOutsideProgram({
      program: 'haproxy',
      args: ['-W', '-S', `unix@${MASTER_SOCKET},mode,600`, '-f', join(directory, CONFIG_FILE)],
      versionArgs: ['-v'],
      remedy: 'Debian: apt-get install haproxy',
      directory,
      mark: join(directory, CONFIG_FILE),
      onExit,
    });
    return new HaProxy(directory, program);
  }

  /**
   * Tells the running proxy, which may be starting still; the configuration is what it starts from when it is next started.
   * @throws IotmanoError `unavailable` when it does not answer in time
   */
  async tell(commands: readonly string[], config: string): Promise<void> {
    writeConfig(this.#directory, config);
    const deadline = systemClock.monotonic() + TAKE_OVER_MILLISECONDS;
    // In one line, commands of any number could be longer than it reads.
    for (const command of commands) {
      while (!(await this.#answers(command, deadline))) await systemClock.sleep(LOOK_MILLISECONDS);
    }
  }

  /** Has a new worker take over, with all listening sockets; the old one finishes what it has. @returns whether it did */
  async takeOver(config: string): Promise<boolean> {
    const before = await this.#workerPid();
    writeConfig(this.#directory, config);
    this.#program.signal('SIGUSR2');
    const deadline = systemClock.monotonic() + TAKE_OVER_MILLISECONDS;
    while (systemClock.monotonic() < deadline) {
      await systemClock.sleep(LOOK_MILLISECONDS);
      const now = await this.#workerPid().catch(() => undefined);
      if (now !== undefined && now !== before) return true;
    }
    return false;
  }

  /** @throws IotmanoError `unavailable` when it does not answer */
  async figures(): Promise<ProxyFigures> {
    return parseFigures(await this.#send('show stat'));
  }

  /** Takes no new connection, lets what is under way finish, and ends. */
  async stop(): Promise<void> {
    try {
      await this.#send(`disable frontend ${FRONTEND}`);
      for (let quiet = 0; quiet < QUIET_MILLISECONDS; quiet += LOOK_MILLISECONDS) {
        if ((await this.#underWay()) > 0) quiet = 0;
        await systemClock.sleep(LOOK_MILLISECONDS);
      }
    } catch {
      // It does not answer: there is nothing to wait for.
    }
    await this.#program.stop();
  }

  #send(command: string): Promise<string> {
    return sendCommand(COMMAND_SOCKET, command);
  }

  /** Requests of all workers; one that has ended meanwhile has none. */
  async #underWay(): Promise<number> {
    const workers = [...(await sendCommand(MASTER_SOCKET, 'show proc')).matchAll(/^(\d+) +worker /gm)];
    const figures = await Promise.all(
      workers.map(([, pid = '']) =>
        sendCommand(MASTER_SOCKET, `@!${pid} show stat`).then(
          (csv) => parseFigures(csv).underWay,
          () => 0,
        ),
      ),
    );
    return figures.reduce((sum, underWay) => sum + underWay, 0);
  }

  /** @throws IotmanoError `unavailable` when it has not answered by then */
  async #answers(command: string, deadline: number): Promise<boolean> {
    try {
      await this.#send(command);
      return true;
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error;
      return false;
    }
  }

  async #workerPid(): Promise<string | undefined> {
    return /^Pid: (\d+)$/m.exec(await this.#send('show info'))?.[1];
  }
}

function writeConfig(directory: string, config: string): void {
  const file = join(directory, CONFIG_FILE);
  writeFileSync(`${file}.new`, config, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
