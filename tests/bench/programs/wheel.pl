#!/usr/bin/perl
# The original's engine: POE::Wheel::Run with a code reference, a clipboard of 4 KB in and out. As many runs at once as asked
# for; the next task of a run begins when the one before has exited and closed its pipes.
#
#   wheel.pl RUNS STEPS
use strict;
use warnings;
use POE qw(Wheel::Run Filter::Stream);

my ($runs, $steps) = @ARGV;
my $clipboard = 'x' x 4096;
my (%task, %of_pid);

sub begin {
    my ($kernel, $run, $left) = @_;
    my $wheel = POE::Wheel::Run->new(
        Program      => \&task,
        StdinFilter  => POE::Filter::Stream->new,
        StdoutFilter => POE::Filter::Stream->new,
        StderrFilter => POE::Filter::Stream->new,
        StdinEvent   => 'fed',
        StdoutEvent  => 'answer',
        StderrEvent  => 'answer',
        CloseEvent   => 'closed',
    );
    $task{ $wheel->ID } = { wheel => $wheel, run => $run, left => $left, answer => '', open => 2 };
    $of_pid{ $wheel->PID } = $wheel->ID;
    $kernel->sig_child($wheel->PID, 'exited');
    $wheel->put($clipboard);
}

sub task {
    binmode STDIN;
    binmode STDOUT;
    local $/;
    print scalar <STDIN>;
}

sub end_of {
    my ($kernel, $id) = @_;
    my $task = $task{$id};
    return if --$task->{open};
    die "a task did not print the clipboard back\n" if $task->{answer} ne $clipboard;
    delete $of_pid{ $task->{wheel}->PID };
    delete $task{$id};
    begin($kernel, $task->{run}, $task->{left} - 1) if $task->{left} > 1;
}

POE::Session->create(
    inline_states => {
        _start => sub { begin($_[KERNEL], $_, $steps) for 1 .. $runs },
        fed    => sub { $task{ $_[ARG0] }{wheel}->shutdown_stdin },
        answer => sub { $task{ $_[ARG1] }{answer} .= $_[ARG0] },
        closed => sub { end_of($_[KERNEL], $_[ARG0]) },
        exited => sub {
            my ($pid, $status) = @_[ ARG1, ARG2 ];
            die "a task failed: status $status\n" if $status;
            end_of($_[KERNEL], $of_pid{$pid});
        },
    },
);
POE::Kernel->run;
