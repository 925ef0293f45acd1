
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'rnc' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'rnc'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'rnc' {
            [CompletionResult]::new('--queue', '--queue', [CompletionResultType]::ParameterName, 'With -lk: how many bytes may wait for one client')
            [CompletionResult]::new('--relay', '--relay', [CompletionResultType]::ParameterName, 'With -l: join each client to a connection to ADDR')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'With -z: how many ports are tried at once')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Run a program for each peer; no shell')
            [CompletionResult]::new('--exec', '--exec', [CompletionResultType]::ParameterName, 'Run a program for each peer; no shell')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'The same for a line of shell, run by /bin/sh -c')
            [CompletionResult]::new('--sh-exec', '--sh-exec', [CompletionResultType]::ParameterName, 'The same for a line of shell, run by /bin/sh -c')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave TIME after the end of input and the last byte')
            [CompletionResult]::new('--quit', '--quit', [CompletionResultType]::ParameterName, 'Leave TIME after the end of input and the last byte')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Give up after TIME of connecting, or of silence')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Give up after TIME of connecting, or of silence')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Leave at the end of: peer, stdin, both; or never')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Leave after N reads from the network')
            [CompletionResult]::new('--recv-limit', '--recv-limit', [CompletionResultType]::ParameterName, 'Leave after N reads from the network')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'End a connection where nothing moves for TIME')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End a connection after TIME, whatever moves')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'End a connection after SIZE bytes')
            [CompletionResult]::new('--max-conns', '--max-conns', [CompletionResultType]::ParameterName, 'With -l: no more than N clients at once')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'With -l: no more than N clients at once')
            [CompletionResult]::new('--accept-timeout', '--accept-timeout', [CompletionResultType]::ParameterName, 'With -l: give up when nobody comes within TIME')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'With -l: at SIGTERM, give clients TIME to finish')
            [CompletionResult]::new('--port-file', '--port-file', [CompletionResultType]::ParameterName, 'With -l: write the port to a file')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Pause after each line sent, or each port tried')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Pause after each line sent, or each port tried')
            [CompletionResult]::new('--datagram-size', '--datagram-size', [CompletionResultType]::ParameterName, 'With -u: longest datagram made of standard input')
            [CompletionResult]::new('--framing', '--framing', [CompletionResultType]::ParameterName, 'With -u: how datagrams stand in the data: line, len, raw')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write down what passes, both ways, in FILE')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How --output looks: plain, tagged or json')
            [CompletionResult]::new('--hex-dump', '--hex-dump', [CompletionResultType]::ParameterName, 'The same in hexadecimal, as hexdump -C has it')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Address to send from, or to listen on')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Address to send from, or to listen on')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port to send from, or to listen on')
            [CompletionResult]::new('--source-port', '--source-port', [CompletionResultType]::ParameterName, 'Port to send from, or to listen on')
            [CompletionResult]::new('--join', '--join', [CompletionResultType]::ParameterName, 'With -u -l: join a multicast group')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Type of service, or traffic class, of what is sent')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service, or traffic class, of what is sent')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'TTL or hop limit of what is sent')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'TTL or hop limit of what is sent')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Drop packets whose TTL or hop limit is under N')
            [CompletionResult]::new('--min-ttl', '--min-ttl', [CompletionResultType]::ParameterName, 'Drop packets whose TTL or hop limit is under N')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Size of the socket''s receive buffer')
            [CompletionResult]::new('--recv-buffer', '--recv-buffer', [CompletionResultType]::ParameterName, 'Size of the socket''s receive buffer')
            [CompletionResult]::new('-O', '-O ', [CompletionResultType]::ParameterName, 'Size of the socket''s send buffer')
            [CompletionResult]::new('--send-buffer', '--send-buffer', [CompletionResultType]::ParameterName, 'Size of the socket''s send buffer')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'With -l: only these hosts; everybody else is refused')
            [CompletionResult]::new('--deny', '--deny', [CompletionResultType]::ParameterName, 'With -l: not these hosts, even if allowed')
            [CompletionResult]::new('--allowfile', '--allowfile', [CompletionResultType]::ParameterName, 'As --allow, with the hosts in a file')
            [CompletionResult]::new('--denyfile', '--denyfile', [CompletionResultType]::ParameterName, 'As --deny, with the hosts in a file')
            [CompletionResult]::new('--allow-uid', '--allow-uid', [CompletionResultType]::ParameterName, 'With -lU: only processes of this user')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'With -lU: permissions of the socket''s file')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Connect through this proxy')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Connect through this proxy')
            [CompletionResult]::new('-X', '-X ', [CompletionResultType]::ParameterName, 'What it speaks: 5 (SOCKS5, the default), 4, 4a, connect')
            [CompletionResult]::new('--proxy-type', '--proxy-type', [CompletionResultType]::ParameterName, 'What it speaks: 5 (SOCKS5, the default), 4, 4a, connect')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'User for the proxy')
            [CompletionResult]::new('--proxy-user', '--proxy-user', [CompletionResultType]::ParameterName, 'User for the proxy')
            [CompletionResult]::new('--proxy-auth', '--proxy-auth', [CompletionResultType]::ParameterName, 'User and password for the proxy')
            [CompletionResult]::new('--proxy-dns', '--proxy-dns', [CompletionResultType]::ParameterName, 'Who looks names up: local, remote, both, none')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Behave as this program: nc (OpenBSD''s), ncat, or rnc')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Listen for a connection instead of making one')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Listen for a connection instead of making one')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'With -l: serve many clients, all at once')
            [CompletionResult]::new('--keep-open', '--keep-open', [CompletionResultType]::ParameterName, 'With -l: serve many clients, all at once')
            [CompletionResult]::new('--broker', '--broker', [CompletionResultType]::ParameterName, 'With -l: clients talk to each other; --chat: with names')
            [CompletionResult]::new('--chat', '--chat', [CompletionResultType]::ParameterName, 'As --broker, line by line, with names: <user1> hello')
            [CompletionResult]::new('--tag', '--tag', [CompletionResultType]::ParameterName, 'With -lk: put [ADDRESS:PORT] before each line received')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP instead of TCP; with -U datagrams')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP instead of TCP; with -U datagrams')
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'A Unix socket: one operand, a path or @NAME (abstract)')
            [CompletionResult]::new('--unixsock', '--unixsock', [CompletionResultType]::ParameterName, 'A Unix socket: one operand, a path or @NAME (abstract)')
            [CompletionResult]::new('--echo', '--echo', [CompletionResultType]::ParameterName, 'With -l: send each client back what it sends')
            [CompletionResult]::new('--discard', '--discard', [CompletionResultType]::ParameterName, 'With -l: throw away what clients send')
            [CompletionResult]::new('--chargen', '--chargen', [CompletionResultType]::ParameterName, 'With -l: send clients a pattern of characters without end')
            [CompletionResult]::new('--daytime', '--daytime', [CompletionResultType]::ParameterName, 'With -l: send clients the date and the time, and end')
            [CompletionResult]::new('-z', '-z', [CompletionResultType]::ParameterName, 'Only see whether ports are open')
            [CompletionResult]::new('--zero', '--zero', [CompletionResultType]::ParameterName, 'Only see whether ports are open')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'Only see whether ports are open')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Try ports in random order')
            [CompletionResult]::new('--randomize', '--randomize', [CompletionResultType]::ParameterName, 'Try ports in random order')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Pass the connected socket to standard output and leave')
            [CompletionResult]::new('--pass-fd', '--pass-fd', [CompletionResultType]::ParameterName, 'Pass the connected socket to standard output and leave')
            [CompletionResult]::new('--pty', '--pty', [CompletionResultType]::ParameterName, 'Give the program a terminal instead of pipes')
            [CompletionResult]::new('--exec-status', '--exec-status', [CompletionResultType]::ParameterName, 'Leave with the program''s exit code')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'Pass on the end of standard input (rnc always does)')
            [CompletionResult]::new('--shutdown', '--shutdown', [CompletionResultType]::ParameterName, 'Pass on the end of standard input (rnc always does)')
            [CompletionResult]::new('--no-shutdown', '--no-shutdown', [CompletionResultType]::ParameterName, 'Do not pass on the end of standard input')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Do not read standard input')
            [CompletionResult]::new('--no-stdin', '--no-stdin', [CompletionResultType]::ParameterName, 'Do not read standard input')
            [CompletionResult]::new('--recv-only', '--recv-only', [CompletionResultType]::ParameterName, 'Do not read standard input')
            [CompletionResult]::new('--send-only', '--send-only', [CompletionResultType]::ParameterName, 'Only send; leave at the end of standard input')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Send line ends as CR LF')
            [CompletionResult]::new('--crlf', '--crlf', [CompletionResultType]::ParameterName, 'Send line ends as CR LF')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Answer telnet options, and keep them out of the data')
            [CompletionResult]::new('--telnet', '--telnet', [CompletionResultType]::ParameterName, 'Answer telnet options, and keep them out of the data')
            [CompletionResult]::new('--append-output', '--append-output', [CompletionResultType]::ParameterName, 'Keep what is in the files of --output and --hex-dump')
            [CompletionResult]::new('--hex', '--hex', [CompletionResultType]::ParameterName, 'Show it in hexadecimal on standard error')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Look up no names of hosts: they have to be addresses')
            [CompletionResult]::new('--nodns', '--nodns', [CompletionResultType]::ParameterName, 'Look up no names of hosts: they have to be addresses')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Allow broadcast')
            [CompletionResult]::new('--broadcast', '--broadcast', [CompletionResultType]::ParameterName, 'Allow broadcast')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'Sign TCP segments (RFC 2385)')
            [CompletionResult]::new('--md5sig', '--md5sig', [CompletionResultType]::ParameterName, 'Sign TCP segments (RFC 2385)')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Set SO_DEBUG on the socket')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Set SO_DEBUG on the socket')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what happens; twice: addresses tried, totals')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what happens; twice: addresses tried, totals')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Show this help; --help tells everything')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Show this help; --help tells everything')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print the version')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
