/**
 * Builds the packages of the catalogue: each function bundled to one JavaScript file that needs nothing but Node, in a
 * SOL004 package with its descriptor, and the services beside them.
 * `node vnf-catalog/build-packages.ts [DIRECTORY]` (default: `dist/catalog`).
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { create } from 'tar';
import { parse } from 'yaml';
import { buildPackage, parseDescriptor, type Fault } from '../descriptors/index.ts';
import { IotmanoError } from '../kernel/index.ts';
import { LICENSES, licensesOf } from './bundle-licenses.ts';

const HERE = import.meta.dirname;
const EPOCH = new Date(0);

export interface BuiltCatalog {
  /** Package files of the functions, one each, by function name. */
  readonly functions: Readonly<Record<string, string>>;
  /** Descriptor files of the services, by service name. */
  readonly services: Readonly<Record<string, string>>;
}

/** Names of the functions of the catalogue: the folders that have a descriptor. */
export function functionNames(): readonly string[] {
  return readdirSync(join(HERE, 'functions'))
    .filter((name) => existsSync(join(HERE, 'functions', name, 'descriptor.yaml')))
    .toSorted();
}

/** Builds everything into the directory. The same sources give the same bytes. */
export async function buildCatalog(outDirectory: string): Promise<BuiltCatalog> {
  const out = resolve(outDirectory);
  mkdirSync(out, { recursive: true });
  const functions: Record<string, string> = {};
  for (const name of functionNames())
    functions[name] = await buildFunctionPackage(name, join(out, `${name}.zip`), descriptorOf(name));
  const services: Record<string, string> = {};
  for (const file of readdirSync(join(HERE, 'services')).filter((entry) => entry.endsWith('.yaml'))) {
    demandNoFault(file, parseDescriptor(readFileSync(join(HERE, 'services', file), 'utf8'), { file }).faults);
    cpSync(join(HERE, 'services', file), join(out, file));
    services[file.replace(/\.yaml$/, '')] = join(out, file);
  }
  return { functions, services };
}

/**
 * Packs the program of a function under another descriptor, as an operator does who wants other rules for it, or shows a next version.
 * @param change what becomes of the descriptor of the catalogue, parsed
 */
export async function buildVariant(
  name: string,
  file: string,
  change: (descriptor: Record<string, unknown>) => object,
): Promise<string> {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  const descriptor = change(parse(descriptorOf(name)) as Record<string, unknown>);
  // JSON is YAML, too.
  return buildFunctionPackage(name, resolve(file), JSON.stringify(descriptor, null, 2));
}

const descriptorOf = (name: string): string =>
  readFileSync(join(HERE, 'functions', name, 'descriptor.yaml'), 'utf8');

/**
 * Bundles one function to `DIRECTORY/NAME/main.js`, with the licences of what is in it beside it, and the `package.json` that says
 * that it is a module.
 */
export async function bundleFunction(name: string, directory: string): Promise<void> {
  const bundle = await rolldown({
    input: join(HERE, 'functions', name, 'main.ts'),
    platform: 'node',
    logLevel: 'silent',
    // What a function does not use of its doors does not come along and cost memory.
    treeshake: { moduleSideEffects: (id) => id.endsWith('main.ts') || id.startsWith('node:') },
  });
  const file = join(directory, name, 'main.js');
  const { output } = await bundle.write({ file, format: 'esm', minify: true, codeSplitting: false });
  await bundle.close();
  writeFileSync(join(directory, name, LICENSES), licensesOf(output[0].moduleIds));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
}

async function buildFunctionPackage(name: string, file: string, descriptor: string): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), 'iotmano-catalog-'));
  try {
    const unpacked = join(work, 'unpacked');
    mkdirSync(unpacked);
    await bundleFunction(name, unpacked);
    const source = join(work, 'package');
    mkdirSync(join(source, 'artifacts'), { recursive: true });
    writeFileSync(join(source, 'descriptor.yaml'), descriptor);
    await packFiles(
      unpacked,
      ['package.json', `${name}/main.js`, `${name}/${LICENSES}`],
      join(source, 'artifacts', 'functions.tgz'),
    );
    demandNoFault(name, await buildPackage(source, file));
    return file;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Warnings are no faults of the catalogue: it says more than everything acts on yet. */
function demandNoFault(what: string, faults: readonly Fault[]): void {
  const errors = faults.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const list = errors.map(
    ({ line, column, message, remedy }) => `${line ?? '?'}:${column ?? '?'} ${message}; ${remedy}`,
  );
  throw new IotmanoError('invalid-descriptor', `${what}:\n${list.join('\n')}`);
}

/** Neither times nor owners of this machine are in the archive. */
async function packFiles(directory: string, files: readonly string[], out: string): Promise<void> {
  for (const file of files) utimesSync(join(directory, file), EPOCH, EPOCH);
  await create({ file: out, cwd: directory, gzip: { level: 9 }, portable: true, mtime: EPOCH }, [...files]);
}

if (import.meta.main) {
  const built = await buildCatalog(process.argv[2] ?? 'dist/catalog');
  for (const file of [...Object.values(built.functions), ...Object.values(built.services)]) console.log(file);
}
