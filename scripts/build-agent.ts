/**
 * Builds the agent as a folder that runs with Node alone: `node scripts/build-agent.ts [DIRECTORY]` (default: `dist/agent`).
 * The program is one file; beside it are its version, the licences of what is in it, and a unit for systemd.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { STATE_FORMATS } from '../agents/index.ts';
import { renderAgentProgram } from '../kernel/index.ts';
import { LICENSES, licensesOf } from '../vnf-catalog/bundle-licenses.ts';

const ROOT = join(import.meta.dirname, '..');

/** @returns the program */
export async function buildAgent(outDirectory: string): Promise<string> {
  const directory = resolve(outDirectory);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const bundle = await rolldown({
    input: join(ROOT, 'cli/agent-main.ts'),
    platform: 'node',
    logLevel: 'silent',
    treeshake: { moduleSideEffects: (id) => id.endsWith('agent-main.ts') || id.startsWith('node:') },
  });
  const file = join(directory, 'iotmano-agent.js');
  const { output } = await bundle.write({ file, format: 'esm', minify: true, codeSplitting: false });
  await bundle.close();
  const { version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
  };
  // So that whoever gets the file knows what it is without running it.
  writeFileSync(file, renderAgentProgram({ version, formats: STATE_FORMATS }) + readFileSync(file, 'utf8'));
  writeFileSync(join(directory, LICENSES), licensesOf(output[0].moduleIds));
  const about = { name: 'iotmano-agent', version, license, type: 'module', private: true };
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
  cpSync(join(ROOT, 'agents/iotmano-agent.service'), join(directory, 'iotmano-agent.service'));
  return file;
}

if (import.meta.main) process.stdout.write(`${await buildAgent(process.argv[2] ?? 'dist/agent')}\n`);
