import { join } from 'node:path';
import type { Shell } from '../../cli/completion/scripts.ts';

/**
 * Where a shell looks for the completion of `ocits`: for root that of all users, else the user's own. `note` says what
 * is still to be done.
 */
export function completionFile(
  shell: Shell,
  env: NodeJS.ProcessEnv,
  isRoot: boolean,
): { readonly path: string; readonly note: string } {
  const home = env['HOME'] || '/';
  const data = env['XDG_DATA_HOME'] || join(home, '.local/share');
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const again = 'It is there in shells that are started from now on.';
  switch (shell) {
    case 'bash':
      return {
        path: isRoot ? '/etc/bash_completion.d/ocits' : join(data, 'bash-completion/completions/ocits'),
        note: `${again} bash needs the package bash-completion for it.`,
      };
    case 'fish':
      return {
        path: isRoot ? '/etc/fish/completions/ocits.fish' : join(config, 'fish/completions/ocits.fish'),
        note: again,
      };
    case 'zsh': {
      const folder = isRoot ? '/usr/local/share/zsh/site-functions' : join(data, 'zsh/site-functions');
      const line = isRoot ? '' : ` .zshrc needs this line before compinit: fpath+=(${folder})`;
      return { path: join(folder, '_ocits'), note: `${again}${line}` };
    }
  }
}
