/**
 * The room of the commands of credentials: `login` and `logout`. Only the table of commands loads them. A password is
 * asked for on the terminal or read from standard input, tried against the registry, and stored only when the
 * registry has taken it. It is never printed.
 *
 *     $ ocits login --username me --password-stdin registry.example
 *     const place = await storeCredential('registry.example', credential, configFolders());
 */

import { text, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { prompt, readStandardInput } from '../../cli/output/prompt.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Credential } from '../../registry/auth/auth-file.ts';
import { findCredential } from '../../registry/auth/credentials.ts';
import { parseLoginServer } from '../../registry/auth/login-server.ts';
import { type CredentialPlace, storeCredential } from '../../registry/auth/store-credential.ts';
import { configFolders } from '../../registry/config/config-folders.ts';

const PASSWORD_LIMIT_BYTES = 64 * 1024;

export default class Login extends BaseCommand {
  static override summary = 'Log in to a registry';
  static override usage = '[OPTIONS] [SERVER]';
  static override arity = [0, 1] as const;
  static override flags = {
    password: text({
      char: 'p',
      description: 'password or token; others can see it in the list of processes',
    }),
    'password-stdin': toggle({ description: 'read the password from standard input' }),
    username: text({ char: 'u', description: 'name of the account' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Login);
    checkFlags(flags);
    const registry = parseLoginServer(args[0]);
    const { username, password } = flags;
    if (password !== undefined) {
      this.complain('WARNING! --password on the command line is not safe. Use --password-stdin.');
    }
    if (username === undefined && (await this.#worksAlready(registry))) return this.print('Login Succeeded');
    const credential: Credential = {
      kind: 'basic',
      username: username ?? (await this.#ask(`Username for ${registry}: `)),
      password: flags['password-stdin']
        ? await readStandardInput(PASSWORD_LIMIT_BYTES)
        : (password ?? (await this.#ask('Password: ', true))),
    };
    if (credential.password === '') throw new OcitsError('usage', 'the password is empty');
    await this.#check(registry, credential);
    this.#tellPlace(await storeCredential(registry, credential, configFolders()));
    this.print('Login Succeeded');
  }

  /** As Docker: without a name, credentials that are there already are tried first. */
  async #worksAlready(registry: string): Promise<boolean> {
    const { credential } = await findCredential(registry, '', configFolders(), this.signals.signal);
    if (credential === undefined) return false;
    this.complain('Authenticating with existing credentials...');
    try {
      await this.#check(registry, credential);
      return true;
    } catch (error) {
      if (!isOcitsError(error, 'unauthorized', 'denied')) throw error;
      this.complain(`They were refused: ${error.message}`);
      return false;
    }
  }

  async #check(registry: string, credential: Credential): Promise<void> {
    await (await this.engine.registry()).checkLogin(registry, credential, this.call());
  }

  async #ask(question: string, isSecret = false): Promise<string> {
    const answer = await prompt(question, { isSecret, signal: this.signals.signal });
    if (answer === '') throw new OcitsError('usage', `${question.replace(/:.*/, '').toLowerCase()} is empty`);
    return answer;
  }

  #tellPlace({ path, helper }: CredentialPlace): void {
    if (helper !== undefined) return;
    this.complain(`WARNING! The credentials are stored unencrypted in ${path}.`);
    this.complain('A credential helper (credsStore in that file) keeps them safer.');
  }
}

function checkFlags(flags: {
  password?: string | undefined;
  'password-stdin': boolean;
  username?: string | undefined;
}): void {
  if (flags['password-stdin'] && flags.password !== undefined) {
    throw new OcitsError('usage', '--password and --password-stdin cannot be given together');
  }
  if (flags['password-stdin'] && flags.username === undefined) {
    throw new OcitsError('usage', '--password-stdin needs --username');
  }
  if (flags.username === '') throw new OcitsError('usage', 'the name of the account is empty');
}
