/** Renders every API document as one page that needs no network: `.cache/api-docs/<name>.html`, with an index. */
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.cache/api-docs');
const run = promisify(execFile);

interface Page {
  readonly name: string;
  readonly title: string;
  readonly document: string;
}

/** The documents that are linted: those of redocly.yaml, and the AsyncAPI ones. */
function listPages(): readonly Page[] {
  const { apis } = parse(readFileSync(join(root, 'redocly.yaml'), 'utf8')) as {
    readonly apis: Readonly<Record<string, { readonly root: string }>>;
  };
  const described = Object.entries(apis).map(([name, api]) => ({ name, document: api.root }));
  const asynchronous = globSync('api-specs/**/*.asyncapi.yaml', { cwd: root }).map((document) => ({
    name: document.replace(/^.*\/([^/]+)\.asyncapi\.yaml$/, '$1-nats'),
    document,
  }));
  return [...described, ...asynchronous].map((page) => {
    const { info } = parse(readFileSync(join(root, page.document), 'utf8')) as {
      readonly info: { readonly title: string };
    };
    return { ...page, title: info.title };
  });
}

function renderIndex(pages: readonly Page[]): string {
  const items = pages.map(({ name, title }) => `<li><a href="${name}.html">${title}</a></li>`);
  return `<!doctype html><meta charset="utf-8"><title>APIs of iotmano</title><h1>APIs of iotmano</h1><ul>${items.join('')}</ul>\n`;
}

mkdirSync(folder, { recursive: true });
const pages = listPages();
for (const { name, document } of pages) {
  const output = join(folder, `${name}.html`);
  const environment = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  await run('redocly', ['build-docs', document, '--inlineBundle', '-o', output], {
    cwd: root,
    env: { ...process.env, ...environment },
  });
  process.stdout.write(`${output}\n`);
}
writeFileSync(join(folder, 'index.html'), renderIndex(pages));
