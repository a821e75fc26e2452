import { BaseCommand } from '../../cli/base-command.ts';
import { parseLoginServer } from '../../registry/auth/login-server.ts';
import { eraseCredential } from '../../registry/auth/store-credential.ts';
import { configFolders } from '../../registry/config/config-folders.ts';

export default class Logout extends BaseCommand {
  static override summary = 'Log out from a registry';
  static override usage = '[SERVER]';
  static override arity = [0, 1] as const;
  static override flags = {};

  async run(): Promise<void> {
    const { args } = await this.read(Logout);
    const registry = parseLoginServer(args[0]);
    const { removed, remaining } = await eraseCredential(registry, configFolders());
    this.print(removed ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`);
    for (const path of remaining)
      this.complain(`Another program's file has credentials for it, too: ${path}`);
  }
}
