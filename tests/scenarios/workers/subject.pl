#!/usr/bin/perl
# The worker contract's subject in Perl: one task per way in which a worker can behave. See subject.py for what each one is.
use strict;
use warnings;
use POSIX ();

my $task = shift @ARGV // '';
$| = 1;

# Output before input is read: this one must not touch stdin first.
if ($task eq 'early') {
    print "hostname: loki\nfqdn: loki.example.org\nadded: early\n";
    exit 0;
}
print '# ', '-' x 100, "\n" for $task eq 'both' ? 1 .. 2500 : ();

my $clipboard = do { local $/; <STDIN> };
sub value { my ($key) = @_; return $clipboard =~ /^\Q$key\E: (.*)$/m ? $1 : '' }
sub say_line { my ($file, $line) = @_; open my $out, '>>', $file or die "$file: $!\n"; syswrite $out, "$line\n"; close $out }

my $record = value('record');
say_line($record, "$task $ENV{JARVIS_STEP} $ENV{JARVIS_ATTEMPT}") if $record;
sub times_of { open my $in, '<', $record or die "$record: $!\n"; return scalar grep { /^\Q$task $ENV{JARVIS_STEP}\E / } <$in> }
sub at_the_gate {
    my $gate = value('gate');
    say_line("$gate/began", "$ENV{JARVIS_TASK} $ENV{JARVIS_ATTEMPT} $$");
    open my $go, '<', "$gate/go" or die "$gate/go: $!\n";
    sysread $go, my $line, 1;
}
sub with { my ($added) = @_; print $clipboard, $added }
sub leave { my ($own_session) = @_;
    my $pid = fork // die "fork: $!\n";
    return if $pid;
    POSIX::setsid() if $own_session;
    exec 'sleep', 'infinity' or POSIX::_exit(127);
}

my %tasks = (
    before        => sub { with("marker: before\ndropme: soon gone\n") },
    empty         => sub { },
    comments      => sub { print "\n# nothing to say\n\n" },
    full          => sub { with("added: full\n") },
    drop          => sub { (my $left = $clipboard) =~ s/^dropme:.*\n//m; print $left },
    look          => sub { print STDERR 'keys: ', join(' ', $clipboard =~ /^([a-z_]+):/mg), "\n" },
    partial       => sub { print "added: alone\n" },
    scalar        => sub { print "all is well\n" },
    list          => sub { print "- all\n- is\n- well\n" },
    two           => sub { print $clipboard, "---\n", $clipboard },
    invalid       => sub { with("added: 'unclosed\n") },
    huge          => sub { with("added: |\n"); print '  ', 'x' x 62, "\n" for 1 .. 9 * 1024 * 16 },
    rename        => sub { (my $other = $clipboard) =~ s/^hostname: .*/hostname: thor/m; print $other },
    again         => sub {
        if (times_of() < 5) { print STDERR "retry-after: 0.05\n"; exit 75 }
        with("added: again\n");
    },
    fail          => sub { with(''); print STDERR "no such region: Atlantis\n"; exit 1 },
    die           => sub { with(''); kill 'KILL', $$ },
    die_once      => sub { kill 'KILL', $$ if times_of() < 2; with("added: die_once\n") },
    leave_child   => sub { with("added: leave_child\n"); leave(0) },
    leave_session => sub { with("added: leave_session\n"); leave(1) },
    stubborn      => sub { $SIG{TERM} = 'IGNORE'; with(''); POSIX::pause() while 1 },
    both          => sub { with("added: both\n") },
    flood         => sub {
        print STDERR 'a line of the flood on standard error, of which there are very many', "\n" for 1 .. 300_000;
        with("added: flood\n");
    },
    gate          => sub { at_the_gate(); with("passed: gate\n") },
    progress      => sub { print STDERR "progress: 3 of 5 mounted\n"; at_the_gate() },
);
my $run = $tasks{$task} or do { print STDERR "subject.pl: $task: no such task\n"; exit 64 };
$run->();
exit 0;
