package partner;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** 一条连接：收件队列（加急优先），带确认的发送通道。One connection: our queues, urgent first, and confirmed publishing. */
final class Link implements AutoCloseable {
    static final String CONTENT_TYPE = "application/sd-jwt";
    private static final String EXCHANGE = "lianzhi.in";
    private static final int CONNECT_MS = 10_000;
    private static final int CONFIRM_MS = 30_000;
    private static final int HEARTBEAT_S = 30;
    private static final int NOT_FOUND = 404;

    /** 队列里的一封来文。What came off a queue. contentType may be null. lane: second word of the routing key, or null. */
    record Delivery(byte[] body, String contentType, String lane, long tag, long order) {
        boolean isUrgent() {
            return "urgent".equals(lane);
        }
    }

    private final Connection connection;
    private final String user;
    private final Channel inbox;
    private final Channel outbox;
    private final PriorityBlockingQueue<Delivery> waiting = new PriorityBlockingQueue<>(
            64, Comparator.comparing((Delivery delivery) -> !delivery.isUrgent()).thenComparing(Delivery::order));
    private final AtomicLong order = new AtomicLong();
    private final Set<String> returned = ConcurrentHashMap.newKeySet();
    private volatile String lost;

    /** Connects and consumes. prefetch: how many unacknowledged messages, for each queue. */
    static Link open(Options options) throws IOException, TimeoutException {
        Connection connection = factory(options).newConnection("lianzhi partner " + options.code());
        try {
            return new Link(connection, options);
        } catch (IOException | RuntimeException failed) {
            connection.abort();
            throw failed;
        }
    }

    private Link(Connection connection, Options options) throws IOException {
        this.connection = connection;
        user = options.broker().user();
        connection.addShutdownListener(cause -> lost = "connection closed: " + cause.getMessage());
        outbox = connection.createChannel();
        outbox.confirmSelect();
        outbox.addReturnListener((code, text, exchange, key, properties, body) -> returned.add(properties.getMessageId()));
        inbox = connection.createChannel();
        inbox.addShutdownListener(cause -> lost = "channel closed: " + cause.getMessage());
        inbox.basicQos(options.prefetch());
        consume("lianzhi.to." + options.code());
        String urgent = "lianzhi.to." + options.code() + ".urgent";
        if (exists(urgent)) consume(urgent);
    }

    /** The next delivery, an urgent one before any other; null when none came within `milliseconds`. */
    Delivery next(long milliseconds) throws IOException, InterruptedException {
        Delivery delivery = waiting.poll(milliseconds, TimeUnit.MILLISECONDS);
        if (lost != null) throw new IOException(lost);
        return delivery;
    }

    void ack(Delivery delivery) throws IOException {
        inbox.basicAck(delivery.tag(), false);
    }

    /** 持久、必达、须确认。Persistent, mandatory, confirmed, as our own user. Throws unless the broker has it, for certain. */
    void publish(Answer answer) throws IOException, TimeoutException, InterruptedException {
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .deliveryMode(2).contentType(CONTENT_TYPE).messageId(answer.id()).userId(user).build();
        byte[] body = answer.text().getBytes(StandardCharsets.US_ASCII);
        outbox.basicPublish(EXCHANGE, answer.routingKey(), true, properties, body);
        if (!outbox.waitForConfirms(CONFIRM_MS)) throw new IOException(answer.routingKey() + ": refused by the broker");
        // 退回先于确认到达 a return comes before its confirm
        if (returned.remove(answer.id())) throw new IOException(answer.routingKey() + ": no queue takes it; ask the court");
    }

    @Override
    public void close() {
        connection.abort(CONNECT_MS); // 可能已经断开 it may be closed already
    }

    private void consume(String queue) throws IOException {
        inbox.basicConsume(queue, false, new DefaultConsumer(inbox) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                String[] words = envelope.getRoutingKey().split("\\.", 3);
                String lane = words.length > 1 ? words[1] : null;
                waiting.add(new Delivery(body, properties.getContentType(), lane, envelope.getDeliveryTag(), order.getAndIncrement()));
            }

            @Override
            public void handleCancel(String tag) {
                lost = queue + ": consumer cancelled by the broker";
            }
        });
    }

    /** 有的单位没有加急队列。Not every partner has an urgent queue; asking for one that is not there closes a channel. */
    private boolean exists(String queue) throws IOException {
        Channel asking = connection.createChannel();
        try {
            asking.queueDeclarePassive(queue);
            asking.abort();
            return true;
        } catch (IOException refused) {
            boolean absent = refused.getCause() instanceof ShutdownSignalException signal
                    && signal.getReason() instanceof AMQP.Channel.Close close && close.getReplyCode() == NOT_FOUND;
            if (absent) return false;
            throw refused;
        }
    }

    private static ConnectionFactory factory(Options options) throws IOException {
        Options.Broker broker = options.broker();
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost(broker.host());
        factory.setPort(broker.port());
        factory.setVirtualHost(broker.virtualHost());
        factory.setUsername(broker.user());
        factory.setPassword(broker.password());
        factory.setConnectionTimeout(CONNECT_MS);
        factory.setHandshakeTimeout(CONNECT_MS);
        factory.setRequestedHeartbeat(HEARTBEAT_S);
        factory.setAutomaticRecoveryEnabled(false); // 重连由 Partner 负责 Partner connects again: what was in flight is unknown
        if (!broker.tls()) return factory;
        factory.useSslProtocol(trusting(options.ca()));
        factory.setSocketConfigurator(socket -> { // 核对主机名：5.0 版客户端自己不做 client 5.0 does not compare the host's name
            SSLParameters parameters = ((SSLSocket) socket).getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            ((SSLSocket) socket).setSSLParameters(parameters);
        });
        return factory;
    }

    /** ca: PEM of whoever issued the broker's certificate; null: whom the machine trusts. */
    private static SSLContext trusting(Path ca) throws IOException {
        try {
            KeyStore trusted = null;
            if (ca != null) {
                trusted = KeyStore.getInstance(KeyStore.getDefaultType());
                trusted.load(null, null);
                try (InputStream pem = Files.newInputStream(ca)) {
                    int number = 0;
                    for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                        trusted.setCertificateEntry("ca" + number++, one);
                    }
                }
            }
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException unusable) {
            throw new Misuse(ca + "：不是证书（PEM）。 holds no certificate in PEM: " + unusable.getMessage());
        }
    }
}
