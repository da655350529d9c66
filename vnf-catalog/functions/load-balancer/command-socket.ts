import { connect } from 'node:net';
import { IotmanoError, messageOf } from '../../../kernel/index.ts';

const PATIENCE_MILLISECONDS = 5_000;

/**
 * Sends a command to the running HAProxy and gives what it says: of most that succeed, nothing.
 * @param path of its command socket
 * @throws IotmanoError `unavailable` when it does not answer
 */
export async function sendCommand(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const fail = (reason: string): void =>
      reject(new IotmanoError('unavailable', `haproxy does not answer on its command socket: ${reason}`));
    const socket = connect({ path });
    socket.setTimeout(PATIENCE_MILLISECONDS, () => {
      socket.destroy();
      fail('no answer in time');
    });
    socket.once('error', (error) => fail(messageOf(error)));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks).toString()));
    // It answers and hangs up at the end of the line.
    socket.write(`${command}\n`);
  });
}
