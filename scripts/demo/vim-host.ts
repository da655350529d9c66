import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { buildImage } from '../../vnf-catalog/build-images.ts';
import type { FunctionInstance, Installation } from './installation.ts';
import { until } from './processes.ts';
import { runCommand } from './run-command.ts';
import { registrationOf, type VimKind } from './vim-registration.ts';

const READY_SECONDS = 30;
const REMOVE_SECONDS = 60;

/** Builds the image of the functions where the engine does not have it. */
export async function provideImage(say: (text: string) => void): Promise<void> {
  const found = await runCommand('docker', 'image', 'ls', '--quiet', 'iotmano/functions').catch(() => '');
  if (found.trim() !== '') return;
  say('building the image of the functions');
  await buildImage();
}

/** Registers the VIM and waits until it is READY. @returns the address of this machine as the VIM's workloads reach it */
export async function joinVim(installation: Installation, kind: VimKind, vimId: string): Promise<string> {
  await installation.request('POST', '/iotmano/v1/vim_connections', await registrationOf(kind, vimId));
  let address: string | undefined;
  await until(
    `that ${kind} is READY as ${vimId}`,
    READY_SECONDS,
    async () => {
      const { state, facts } = await installation.request<{ state: string; facts?: { address?: string } }>(
        'GET',
        `/iotmano/v1/hosts/${vimId}`,
      );
      address = state === 'READY' ? facts?.address : undefined;
      return address !== undefined;
    },
    installation.signal,
  );
  return ownAddressTowards(address ?? '');
}

/** Forgets the VIM, once what ran there is gone. */
export async function leaveVim(installation: Installation, vimId: string): Promise<void> {
  await until(
    `the removal of ${vimId}`,
    REMOVE_SECONDS,
    () =>
      installation.request('DELETE', `/iotmano/v1/vim_connections/${vimId}`).then(
        () => true,
        () => false,
      ),
    installation.signal,
  );
}

/** Copies that run behind the VIM, those of one constituent or all. */
export async function instancesAt(
  installation: Installation,
  vimId: string,
  constituent?: string,
): Promise<readonly FunctionInstance[]> {
  return (await installation.instances()).filter(
    ({ hostId, function: name }) => hostId === vimId && (constituent === undefined || name === constituent),
  );
}

/** The address that this machine has in the network in which it reaches the other one: by it, the other one reaches us. */
async function ownAddressTowards(address: string): Promise<string> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  // Connecting a datagram socket sends nothing; the port is of no account.
  socket.connect(9, address);
  await once(socket, 'connect');
  const own = socket.address().address;
  socket.close();
  return own;
}
