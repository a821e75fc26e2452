/** The shells that completion is there for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** A line of `ocits __complete` that stands for all files. */
export const FILES_LINE = ':files';

/**
 * The script that makes a shell ask `ocits __complete` what can stand at the cursor. It prints a candidate a
 * line, with a tab and what it means behind, and `:files` where a file can stand.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  // The line is split anew: bash divides words at ":" and "=", which names of images and flags often have. What stands
  // in front of the last of these is on the line already.
  bash: `# bash completion for ocits
_ocits() {
  local line=\${COMP_LINE:0:COMP_POINT} words current typed word
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[-1]}
  typed=\${current%"\${current##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    if [[ $word == ${FILES_LINE} ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${current#"$typed"}")
    elif [[ $word == "$current"* ]]; then
      COMPREPLY+=("\${word#"$typed"}")
    fi
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -F _ocits ocits
`,
  zsh: `#compdef ocits
# zsh completion for ocits
_ocits() {
  local -a found
  local line result=1
  for line in "\${(@f)$(\${words[1]} __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ${FILES_LINE} ]]; then
      _files && result=0
    elif [[ -n $line ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( $#found )) && _describe -t words ocits found && result=0
  return result
}
if [[ $funcstack[1] == _ocits ]]; then
  _ocits "$@"
else
  compdef _ocits ocits
fi
`,
  fish: `# fish completion for ocits
function __ocits_words
    set -l words (commandline -opc) (commandline -ct)
    for line in (command $words[1] __complete $words[2..-1] 2>/dev/null)
        if test "$line" = ${FILES_LINE}
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c ocits -f -a '(__ocits_words)'
`,
};
