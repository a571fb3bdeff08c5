# frozen_string_literal: true

# A throw-away authority with certificates for a host and a worker.

require "openssl"

# PEM files in a folder: ca.pem, host.pem, host.key, worker.pem, worker.key.
class Certificates
  SECONDS_VALID = 3_600

  def initialize(folder)
    @folder = folder
    @key = OpenSSL::PKey::EC.generate("prime256v1")
    @authority = certificate("authority", @key, @key, "basicConstraints" => "CA:TRUE")
    write("ca.pem", @authority.to_pem)
    issue("host", "subjectAltName" => "DNS:localhost,IP:127.0.0.1")
    issue("worker")
  end

  def path(name) = File.join(@folder, name)
  def read(name) = File.read(path(name))

  # For a server that asks workers for a certificate, too.
  def server_credentials
    pair = { private_key: read("host.key"), cert_chain: read("host.pem") }
    GRPC::Core::ServerCredentials.new(read("ca.pem"), [pair], true)
  end

  private

  def issue(name, extensions = {})
    key = OpenSSL::PKey::EC.generate("prime256v1")
    write("#{name}.key", key.private_to_pem)
    write("#{name}.pem", certificate(name, key, @key, extensions).to_pem)
  end

  def certificate(name, key, signer, extensions)
    made = OpenSSL::X509::Certificate.new
    made.version = 2
    made.serial = rand(1 << 60)
    made.subject = OpenSSL::X509::Name.new([["CN", name]])
    made.issuer = @authority ? @authority.subject : made.subject
    made.public_key = key
    made.not_before = Time.now - 60
    made.not_after = Time.now + SECONDS_VALID
    factory = OpenSSL::X509::ExtensionFactory.new(@authority || made, made)
    extensions.each { |id, value| made.add_extension(factory.create_extension(id, value)) }
    made.sign(signer, "SHA256")
  end

  def write(name, text) = File.write(path(name), text)
end
