/**
 * What answers on held ports for connections that no rule diverts: those by IPv6, as a bridge has IPv4 alone, and all of
 * them where somebody has flushed the rules. In Perl, which is on every Debian (perl-base), since the program waits on
 * the descriptors that it is given, which socat cannot before 1.8. It is there only while it is needed.
 *
 * Arguments: `watch PID LABEL PORT…` makes the kernel send SIGIO to the process when somebody comes, and ends. `serve
 * LABEL PORT…` forwards until nobody has come for a while; connections that are open then go on. A PORT is
 * `DESCRIPTOR/PROTOCOL/ADDRESS/NUMBER`; a LABEL only shows in lists of processes. A TCP connection has two processes,
 * one for each direction, so that neither waits for the other and each can be closed by itself. For UDP each sender
 * has a socket of its own towards the container, which gets the answers. The constants of Linux are written out, as the
 * module that has them takes longer to load than all else.
 */
export const FORWARDER = `
use strict;
use Fcntl qw(F_GETFL F_SETFL F_SETOWN O_ASYNC O_NONBLOCK);

my ($chunk, $idle_seconds, $session_seconds, $most_children, $most_sessions) = (65536, 30, 90, 1000, 500);
my ($internet, $stream, $datagram, $no_wait, $no_hang, $interrupted) = (2, 1, 2, 0x40, 1, 4);

my $task = shift @ARGV;
my $owner = $task eq 'watch' ? shift @ARGV : 0;
my $label = shift @ARGV;
my %ports = map { my $port = port($_); (fileno($port->{socket}) => $port) } @ARGV;
if ($task eq 'watch') { watch($_->{socket}) for values %ports; exit }
$0 = "ocits-forward $label";
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = sub {};
serve();

sub port {
  my ($fd, $protocol, $address, $number) = split m{/}, shift;
  open(my $socket, '+<&=', $fd) or die "descriptor $fd: $!\\n";
  # struct sockaddr_in
  my $target = pack('S n C4 x8', $internet, $number, split(/\\./, $address));
  return { socket => $socket, protocol => $protocol, target => $target };
}

sub watch {
  my $socket = shift;
  fcntl($socket, F_SETOWN, $owner + 0) or die "F_SETOWN: $!\\n";
  my $flags = fcntl($socket, F_GETFL, 0) or die "F_GETFL: $!\\n";
  fcntl($socket, F_SETFL, $flags | O_ASYNC | O_NONBLOCK) or die "F_SETFL: $!\\n";
}

sub serve {
  my ($children, %sessions, %senders) = (0);
  my $last = time;
  while (1) {
    my $waiting = '';
    for my $fd (keys %ports, keys %sessions) {
      next if $children >= $most_children && ($ports{$fd} || {})->{protocol} eq 'tcp';
      vec($waiting, $fd, 1) = 1;
    }
    my $found = select($waiting, undef, undef, 5);
    $children-- while $children > 0 && waitpid(-1, $no_hang) > 0;
    if ($found > 0) {
      for my $fd (grep { vec($waiting, $_, 1) } keys %ports) {
        $last = time;
        my $port = $ports{$fd};
        if ($port->{protocol} eq 'tcp') { $children++ if take($port) }
        else { receive($fd, $port, \\%sessions, \\%senders) }
      }
      answer($_) for grep { defined } map { $sessions{$_} } grep { vec($waiting, $_, 1) } keys %sessions;
    }
    for my $session (grep { $_->{seen} + $session_seconds < time } values %sessions) {
      delete $senders{$session->{key}};
      delete $sessions{fileno($session->{socket})};
    }
    exit if !%sessions && $last + $idle_seconds < time;
  }
}

sub take {
  my $port = shift;
  accept(my $client, $port->{socket}) or return 0;
  my $child = fork;
  return defined $child if $child || !defined $child;
  close $_->{socket} for values %ports;
  socket(my $server, $internet, $stream, 0) or exit 1;
  connect($server, $port->{target}) or exit 1;
  my $back = fork;
  exit 1 if !defined $back;
  my ($from, $to) = $back ? ($client, $server) : ($server, $client);
  copy($from, $to);
  exit;
}

sub copy {
  my ($from, $to) = @_;
  while (1) {
    my $length = sysread($from, my $data, $chunk);
    next if !defined $length && $! == $interrupted;
    # An end is passed on as one; a failure ends both directions.
    return shutdown($to, defined $length ? 1 : 2) if !$length;
    for (my $done = 0; $done < $length;) {
      my $written = syswrite($to, $data, $length - $done, $done);
      next if !defined $written && $! == $interrupted;
      return shutdown($from, 2) if !defined $written;
      $done += $written;
    }
  }
}

sub receive {
  my ($fd, $port, $sessions, $senders) = @_;
  my $from = recv($port->{socket}, my $data, $chunk, $no_wait);
  return if !defined $from;
  my $key = "$fd $from";
  my $session = $senders->{$key};
  if (!$session) {
    return if keys %$sessions >= $most_sessions;
    socket(my $socket, $internet, $datagram, 0) or return;
    connect($socket, $port->{target}) or return;
    $session = { socket => $socket, port => $port, from => $from, key => $key };
    $senders->{$key} = $sessions->{fileno $socket} = $session;
  }
  $session->{seen} = time;
  send($session->{socket}, $data, $no_wait);
}

sub answer {
  my $session = shift;
  defined recv($session->{socket}, my $data, $chunk, $no_wait) or return;
  $session->{seen} = time;
  send($session->{port}{socket}, $data, $no_wait, $session->{from});
}
`;
