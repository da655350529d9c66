import { parse } from 'yaml';
import { refusal } from './check-pem.ts';

const POINTER = '/accessInfo/kubeconfig';

type Members = Readonly<Record<string, unknown>>;

/** Members that make whoever uses the kubeconfig run a program or read a file: here that would be the orchestrator. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  exec: 'runs a program; give a token of a service account instead',
  'auth-provider': 'runs a program; give a token of a service account instead',
  tokenFile: 'names a file; put the token itself there',
  'token-file': 'names a file; put the token itself there',
  'certificate-authority': 'names a file; put its content there (kubectl config view --raw --flatten)',
  'client-certificate': 'names a file; put its content there (kubectl config view --raw --flatten)',
  'client-key': 'names a file; put its content there (kubectl config view --raw --flatten)',
};

/** @throws IotmanoError `unprocessable`, which never quotes the text */
export function checkKubeconfig(text: string, context: string | undefined): void {
  const config = parseKubeconfig(text);
  if (config === undefined) throw refusal(POINTER, 'is no YAML of a kubeconfig; give the text of the file');
  for (const [list, member] of [
    ['clusters', 'cluster'],
    ['users', 'user'],
  ] as const)
    for (const each of entries(config, list))
      refuseForbidden(objectOf(each[member]), `${list} ${String(each['name'])}`);
  const { chosen, found, cluster, user } = contextOf(config, context);
  if (typeof chosen !== 'string' || found === undefined) throw unknownContext(config, chosen);
  if (user === undefined)
    throw refusal(
      POINTER,
      `has no user for context ${JSON.stringify(chosen).slice(0, 80)}; add it, or name another context`,
    );
  checkServer(cluster['server'], chosen);
}

/** The URL of the API server that it leads to. */
export function kubeconfigServer(text: string, context: string | undefined): string | undefined {
  const server = contextOf(parseKubeconfig(text) ?? {}, context).cluster['server'];
  return typeof server === 'string' ? server : undefined;
}

function contextOf(config: Members, name: string | undefined) {
  const chosen = name ?? config['current-context'];
  const found = entries(config, 'contexts').find((each) => each['name'] === chosen);
  const { cluster, user } = objectOf(found?.['context']);
  return {
    chosen,
    found,
    cluster: objectOf(named(config, 'clusters', cluster)?.['cluster']),
    user: named(config, 'users', user),
  };
}

/** The values in it that nobody may see. */
export function kubeconfigSecrets(text: string): readonly string[] {
  const config = parseKubeconfig(text) ?? {};
  return entries(config, 'users').flatMap((entry) => {
    const user = objectOf(entry['user']);
    return [user['token'], user['password'], user['client-key-data']].filter(
      (value) => typeof value === 'string',
    );
  });
}

function parseKubeconfig(text: string): Members | undefined {
  try {
    const config: unknown = parse(text, { maxAliasCount: 0, logLevel: 'silent' });
    return typeof config === 'object' && config !== null && !Array.isArray(config)
      ? (config as Members)
      : undefined;
  } catch {
    return undefined;
  }
}

function entries(config: Members, list: string): readonly Members[] {
  const value = config[list];
  return Array.isArray(value) ? value.map(objectOf) : [];
}

function named(config: Members, list: string, name: unknown): Members | undefined {
  return entries(config, list).find((each) => each['name'] === name);
}

function objectOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function refuseForbidden(members: Members, where: string): void {
  for (const [name, why] of Object.entries(FORBIDDEN))
    if (members[name] !== undefined) throw refusal(POINTER, `(${where.slice(0, 100)}): ${name} ${why}`);
}

function unknownContext(config: Members, chosen: unknown): Error {
  const known = entries(config, 'contexts').map(({ name }) => String(name).slice(0, 80));
  const what =
    chosen === undefined
      ? 'has no current-context'
      : `has no context ${JSON.stringify(chosen)?.slice(0, 80)}`;
  return refusal(
    POINTER,
    `${what}; name one of ${known.slice(0, 10).join(', ') || '(there is none)'} as accessInfo.context`,
  );
}

function checkServer(server: unknown, context: string): void {
  const url = typeof server === 'string' && URL.canParse(server) ? new URL(server) : undefined;
  const isFine = url !== undefined && url.protocol === 'https:' && url.username === '' && url.password === '';
  if (!isFine)
    throw refusal(
      POINTER,
      `names no https server for context ${JSON.stringify(context).slice(0, 80)}; correct its cluster`,
    );
}
