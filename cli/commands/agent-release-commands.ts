import type { Command } from 'commander';
import { RELEASES, listReleases, releaseOf, type AgentRelease } from '../agent-upgrades.ts';
import { contextOf, type Environment } from '../context.ts';
import { printJson, printRows, say } from '../output.ts';
import { demandFile } from '../packages.ts';

/** `iotmano agent release …`: programs of the agent that hosts may be brought to. */
export function addAgentReleaseCommands(agent: Command, env: Environment): void {
  const group = agent
    .command('release')
    .description('keep programs of the agent that hosts may be brought to');

  group
    .command('add <file>')
    .description(
      'take a packed agent in (iotmano-agent.js of "npm run build:agent"); which version it is, it says itself',
    )
    .action(async (file: string, _options: unknown, command: Command) => {
      await demandFile(file);
      const { client, format } = contextOf(command, env);
      const type = 'application/octet-stream';
      const { status, body } = await client.postFile<AgentRelease>(RELEASES, file, type);
      if (format === 'json') printJson(body);
      else say(status === 200 ? `${body.version} is there already` : `added ${body.version} as ${body.id}`);
    });

  group
    .command('list')
    .description('list them')
    .action(async (_options: unknown, command: Command) => {
      const { client, format } = contextOf(command, env);
      const releases = await listReleases(client);
      const rows = releases.map((release) => ({
        ...release,
        size: release.sizeBytes,
        added: release.addedAt,
      }));
      printRows(format, rows, ['version', 'size', 'added', 'id'], releases);
    });

  group
    .command('rm <version>')
    .description('remove one, by version or id, that no upgrade and no host needs any more')
    .action(async (version: string, _options: unknown, command: Command) => {
      const { client } = contextOf(command, env);
      const { id } = await releaseOf(client, version);
      await client.delete(`${RELEASES}/${id}`);
      say(`${version} is gone`);
    });
}
