import { Command } from 'commander';
import { addAgentActions } from './commands/agent-commands.ts';
import { addLogsCommand } from './commands/logs-command.ts';
import { ownVersion } from './own-version.ts';
import { runProgram } from './run-program.ts';

/** The agent as a program of its own: what `iotmano agent` is, for a host that has Node and nothing else of ours. */
const program = new Command('iotmano-agent')
  .description("run this host's orchestration and monitoring agents")
  .version(ownVersion())
  .configureHelp({ showGlobalOptions: true });
addAgentActions(program, process.env);
addLogsCommand(program, process.env);
await runProgram(program);
