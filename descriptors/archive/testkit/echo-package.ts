import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The smallest function that has a file in its package. */
export const ECHO_DESCRIPTOR = `
apiVersion: iotmano/v1
kind: IoTFunctionDescriptor
metadata:
  invariantId: urn:test:function:echo
  provider: test
  productName: echo
  softwareVersion: 1.0.0
  descriptorVersion: 1.0.0
  role: infrastructure
units:
  - name: echo
    artifacts: [{ type: process, command: [node, main.js], files: echo.tgz }]
    resources: { cpu: 100m, memory: 64Mi }
`;

/** The same without files: a bare descriptor is enough. */
export const BARE_DESCRIPTOR = ECHO_DESCRIPTOR.replace(', files: echo.tgz', '');

/** A folder that `buildPackage` makes a package of. */
export async function makeEchoFolder(directory: string): Promise<string> {
  const folder = join(directory, 'folder');
  await mkdir(join(folder, 'artifacts/more'), { recursive: true });
  await writeFile(join(folder, 'descriptor.yaml'), ECHO_DESCRIPTOR);
  await writeFile(join(folder, 'artifacts/echo.tgz'), 'not really a tar');
  await writeFile(join(folder, 'artifacts/more/readme.txt'), 'hello '.repeat(1000));
  return folder;
}
