import { Command, Option } from 'commander';
import { DEFAULT_URL, type Environment } from './context.ts';
import { runProgram } from './run-program.ts';
import { addAgentCommands } from './commands/agent-commands.ts';
import { addAlarmsCommand } from './commands/alarms-command.ts';
import { addDiagnosticsCommands } from './commands/diagnostics-commands.ts';
import { addEventsCommand } from './commands/events-command.ts';
import { addExecCommand } from './commands/exec-command.ts';
import { addHostCommands } from './commands/host-commands.ts';
import { addKitCommands } from './commands/kit-commands.ts';
import { addLoadCommands } from './commands/load-commands.ts';
import { addLogsCommand } from './commands/logs-command.ts';
import { addLookCommands } from './commands/look-commands.ts';
import { addOperationCommands } from './commands/operation-commands.ts';
import { addPackageCommands } from './commands/package-commands.ts';
import { addPkiCommands } from './commands/pki-commands.ts';
import { addPlacementCommands } from './commands/placement-commands.ts';
import { addScalingCommands } from './commands/scaling-commands.ts';
import { addServiceCommands } from './commands/service-commands.ts';
import { addNatsCommand } from './commands/nats-command.ts';
import { addTokenCommands } from './commands/token-commands.ts';
import { addUpCommand } from './commands/up-command.ts';
import { addVimCommands } from './commands/vim-commands.ts';

const HELP = `
A first service, in one terminal each:
  $ iotmano up --data ./state                                   the orchestrator, on ${DEFAULT_URL}
  $ export IOTMANO_DATA=./state                                 where the other commands find its admin token
  $ IOTMANO_ENROLMENT_TOKEN=$(iotmano token enrol --host-id gw-1) \\
      iotmano agent run --data ./gw-1 --host-id gw-1 --tier device-edge
  $ iotmano package onboard PACKAGE.zip… SERVICE.yaml
  $ iotmano service deploy SERVICE && iotmano ps

Environment:
  IOTMANO_URL              where the orchestrator answers (default ${DEFAULT_URL})
  IOTMANO_TOKEN            who you are; without it, admin.token in the data directory is used
  IOTMANO_DATA             data directory of the orchestrator on this machine
  IOTMANO_ENROLMENT_TOKEN  one-time token with which an agent enrols its host
  IOTMANO_DEVICE_TOKEN     bearer token of the simulated devices, for load play
  IOTMANO_VIM_TOKEN        bearer token of a Kubernetes cluster, for vim add

Exit codes:
  0 done   1 failed   2 wrong use or bad input   3 no orchestrator answers   4 not allowed   5 not found   6 conflict
`;

function createProgram(env: Environment): Command {
  const program = new Command('iotmano')
    .description(
      'Orchestrates IoT functions over cloud and edge (ETSI NFV style), with agents inside each oneM2M CSE.',
    )
    .option('--url <url>', 'where the orchestrator answers; over IOTMANO_URL')
    .addOption(
      new Option('-o, --output <format>', 'for people or for programs')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addHelpText('after', HELP)
    .configureHelp({ showGlobalOptions: true });
  addUpCommand(program, env);
  addAgentCommands(program, env);
  addPackageCommands(program, env);
  addServiceCommands(program, env);
  addOperationCommands(program, env);
  addLookCommands(program, env);
  addHostCommands(program, env);
  addPlacementCommands(program, env);
  addScalingCommands(program, env);
  addVimCommands(program, env);
  addPkiCommands(program, env);
  addAlarmsCommand(program, env);
  addEventsCommand(program, env);
  addLogsCommand(program, env);
  addExecCommand(program, env);
  addDiagnosticsCommands(program, env);
  addLoadCommands(program, env);
  addKitCommands(program, env);
  addTokenCommands(program, env);
  addNatsCommand(program, env);
  return program;
}

await runProgram(createProgram(process.env));
